"""What must outlive Redis: the audit goes to Kafka, every model into the archive."""

import logging
import time
from collections.abc import Callable

from models.registry import Registry, RegistryError
from stream_app.acknowledged_producer import DeliveryError
from stream_app.audit.copy import KafkaSilentError
from stream_app.audit.publisher import AuditPublisher
from stream_app.model_store import ModelStore, ModelStoreError
from stream_app.watermarks import NoAnswerError

log = logging.getLogger(__name__)


class Safekeeping:
    """Looks again and again for what is only in Redis.

    Kafka, the archive and Redis may be away for a while: what is not copied yet waits. An audit that does not go on
    from what Kafka holds ends the process instead: nothing is released on a registry that was lost or rewritten.

    Parameters
    ----------
    registry: models and audit.
    publisher: sends the audit.
    store: opens the storage of the models.
    every_s: time between two looks.
    sleep: replaced in tests.
    """

    def __init__(
        self,
        registry: Registry,
        publisher: AuditPublisher,
        store: Callable[[], ModelStore],
        every_s: float = 0.5,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._registry = registry
        self._publisher = publisher
        self._open_store = store
        self._store: ModelStore | None = None
        self._kept: set[str] = set()
        self._every_s = every_s
        self._sleep = sleep

    def turn(self) -> bool:
        """Copy what is new, then wait; return whether all is copied.

        Raises
        ------
        AuditError: the audit in Redis does not follow Kafka's.
        """
        safe = False
        try:
            self._publisher.publish()
            self._keep_models()
            safe = True
        except (DeliveryError, KafkaSilentError, NoAnswerError, ModelStoreError, RegistryError) as error:
            log.warning("audit or models wait to be copied: %s", error)
        self._sleep(self._every_s)
        return safe

    def _keep_models(self) -> None:
        new = [version for version in self._registry.versions() if version not in self._kept]
        if new and self._store is None:
            self._store = self._open_store()
        for version in new:
            assert self._store is not None
            if self._store.put(self._registry.get(version)):
                log.info("model %s is kept in %s", version, self._store.url)
            self._kept.add(version)
