"""Opening: the store and the external services that liaison.toml turns on, ready for use."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from bot import settings
from bot.config import Configuration
from bot.enrichment.enricher import Enricher
from bot.providers import catalogue
from bot.services import Services
from bot.store import open_store


def with_keys(configuration: Configuration, environment: Mapping[str, str]) -> Configuration:
    """The same with the keys of its providers. Raises ConfigError with every mistake."""
    variables = catalogue.key_variables(configuration.providers)
    keys = settings.read_provider_keys(environment, variables)
    return replace(configuration, providers=catalogue.with_keys(configuration.providers, keys))


async def open_services(
    store_url: str, configuration: Configuration, clock: Callable[[], datetime]
) -> Services:
    """Everything commands may use; closing what asks services, then the store, is left to the caller.

    Raises ConfigError.
    """
    registry, providers = configuration.registry, configuration.providers
    sources = catalogue.open_sources(providers)
    store = await open_store(store_url)
    if not sources:
        return Services(store, registry, clock)
    off = {name: name for name in catalogue.NAMES if name not in providers}
    enricher = Enricher(sources, store, registry, clock=clock, off=off)
    try:
        await enricher.open()
    except BaseException:
        await store.close()
        raise
    return Services(store, registry, clock, enricher)
