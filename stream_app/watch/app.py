"""The Faust app of the keeper: an agent over a channel of intakes, and the service that feeds it."""

from pathlib import Path
from typing import Any

from faust.types import StreamT

from stream_app.faust_app import ChannelApp, channel_app, end_process
from stream_app.watch.intake import Intake
from stream_app.watch.service import KeeperService
from stream_app.watch.settings import WatchSettings


def build_app(settings: WatchSettings, data_folder: Path) -> ChannelApp:
    """The app of one keeper process; nothing connects before it is started."""
    app = channel_app("fraudstream-watch", settings.broker, data_folder)
    intakes = app.channel(maxsize=1)

    async def put(intake: Intake) -> None:
        # Only Faust's own consumer opens the flow of channels; opening it again changes nothing.
        app.flow_control.resume()
        await intakes.put(intake)  # type: ignore[arg-type]  # typed for Faust's events, takes any value

    service = KeeperService(settings, put, end_process)

    @app.agent(intakes, name="keep_profiles")
    async def keep_profiles(stream: StreamT[Intake]) -> None:
        async for intake in stream:
            await service.handle(intake)

    @app.on_before_shutdown.connect(weak=False)
    async def settle(*_: Any, **__: Any) -> None:
        # Before the agent is cancelled, or the intake under way would never finish.
        await service.stop()

    app.service(service)  # type: ignore[arg-type]  # typed for classes, takes an instance too
    return app
