"""Settings of the whole suite."""

from hypothesis import settings

# A busy machine is no failure: pytest-timeout bounds the time. The parent is hypothesis' own, also in CI.
settings.register_profile("liaison", parent=settings(), deadline=None)
settings.load_profile("liaison")
