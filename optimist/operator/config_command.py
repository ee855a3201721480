"""`optimist config dump PROGRAM ...`: the settings a program would have, and where each comes from."""

from optimist.exit.settings import ExitSettings
from optimist.operator.deploying import DeploySettings
from optimist.ops.dump import make_config_command
from optimist.ops.settings import NodeSettings
from optimist.sequencer.settings import SequencerSettings

command = make_config_command(
    {
        "sequencer": SequencerSettings,
        "derive": NodeSettings,
        "deploy": DeploySettings,
        "exit": ExitSettings,
    }
)
