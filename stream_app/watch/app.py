"""The Faust app of a watch process: agents over channels, and the services that feed them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import faust
from faust.types import StreamT
from prometheus_client import CollectorRegistry

from stream_app.faust_app import ChannelApp, channel_app, end_process
from stream_app.process_metrics import add_process_metrics
from stream_app.watch.history.commit import AnnouncedCommit
from stream_app.watch.history.service import DRIFT, FEEDBACK, HistoryService
from stream_app.watch.pages import Part, WatchPages
from stream_app.watch.profiles.intake import Intake
from stream_app.watch.profiles.service import KeeperService
from stream_app.watch.settings import WatchSettings


def build_app(settings: WatchSettings, data_folder: Path) -> ChannelApp:
    """The app of one process; nothing connects before it is started."""
    app = channel_app("fraudstream-watch", settings.broker, data_folder)
    registry = CollectorRegistry()
    add_process_metrics(registry)
    keeper = _add_keeper(app, settings, registry)
    parts: dict[str, Part] = {"profiles": keeper}
    services: list[faust.Service] = [keeper]
    if settings.archive_url is not None:
        history = _add_history(app, settings, registry)
        parts["history"] = history
        services.append(history)

    @app.on_before_shutdown.connect(weak=False)
    async def settle(*_: Any, **__: Any) -> None:
        # Before the agents are cancelled, or what is under way would never finish.
        for service in services:
            await service.stop()

    for service in [WatchPages(settings.web_host, settings.web_port, registry, parts), *services]:
        app.service(service)  # type: ignore[arg-type]  # typed for classes, takes an instance too
    return app


def _add_keeper(app: ChannelApp, settings: WatchSettings, registry: CollectorRegistry) -> KeeperService:
    intakes = app.channel(maxsize=1)

    async def put(intake: Intake) -> None:
        _open_flow(app)
        await intakes.put(intake)  # type: ignore[arg-type]  # typed for Faust's events, takes any value

    service = KeeperService(settings, registry, put, end_process)

    @app.agent(intakes, name="keep_profiles")
    async def keep_profiles(stream: StreamT[Intake]) -> None:
        async for intake in stream:
            await service.handle(intake)

    return service


def _add_history(app: ChannelApp, settings: WatchSettings, registry: CollectorRegistry) -> HistoryService:
    channels: Mapping[str, Any] = {agent: app.channel(maxsize=1) for agent in (FEEDBACK, DRIFT)}

    async def put_feedback(announced: AnnouncedCommit) -> None:
        _open_flow(app)
        await channels[FEEDBACK].put(announced)

    async def put_drift(announced: AnnouncedCommit) -> None:
        _open_flow(app)
        await channels[DRIFT].put(announced)

    service = HistoryService(settings, registry, {FEEDBACK: put_feedback, DRIFT: put_drift}, end_process)

    @app.agent(channels[FEEDBACK], name="measure_performance")
    async def measure_performance(stream: StreamT[AnnouncedCommit]) -> None:
        async for announced in stream:
            await service.handle(FEEDBACK, announced)

    @app.agent(channels[DRIFT], name="find_drift")
    async def find_drift(stream: StreamT[AnnouncedCommit]) -> None:
        async for announced in stream:
            await service.handle(DRIFT, announced)

    return service


def _open_flow(app: ChannelApp) -> None:
    """Let channels take what is put: only Faust's own consumer would. Done again it would empty them all."""
    if not app.flow_control.is_active():
        app.flow_control.resume()
