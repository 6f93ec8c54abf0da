"""External services behind one gate, with what keeps them from harming each other."""
