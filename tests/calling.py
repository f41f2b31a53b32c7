"""Commands called as a user calls them."""

from click.testing import CliRunner


def call(command, *arguments, fails=None):
    """The result of ``command``, which must succeed or raise ``fails``."""
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    if fails:
        assert isinstance(result.exception, fails), result.output
    else:
        assert result.exception is None, result.output
    return result
