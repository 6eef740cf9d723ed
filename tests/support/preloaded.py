"""What every worker under test would do first, done once in the server that they are forked from."""

import faust.agents.manager
import faust.app.router
import faust.assignor.leader_assignor
import faust.tables.manager
import faust.transport.conductor
import faust.transport.drivers.aiokafka
import faust.worker  # noqa: F401  Faust imports all of these by name when it starts

import stream_app.cli
import stream_app.commands.archive
import stream_app.commands.console
import stream_app.commands.retrain
import stream_app.commands.score
import stream_app.commands.watch  # noqa: F401  as above
from tests.support.payments import payments
from tests.support.scored_output import undisturbed

undisturbed(payments(3))
