"""External services that are asked about indicators: one file, one sample set, one test each.

A remote provider is a pure module, listed in PURE of tests/test_architecture.py, with

- `SPEC`: what it declares (`spec.Spec`), its own defaults;
- `BASE_URL`: where it lives, without a slash at the end; the only host that its wire talks to;
- `Example(options)`: its `remote.Service`; its `spec` is `as_run(SPEC, options)` and its key `options.key`.

`catalogue` opens the sources and is the only one to join a service and a wire:
`Remote(Example(options), HttpWire(options.url or BASE_URL, connections=spec.at_once))`. Two are different:
`opentip.service(options)` chooses between two services by the URL, and VirusTotal's own client holds the key:
`vt_wire.VtWire(key, options.url or BASE_URL, connections=spec.at_once)`.

`hashlookup_offline.HashlookupOffline(options)` answers from a file: it asks nobody and has no wire.
"""
