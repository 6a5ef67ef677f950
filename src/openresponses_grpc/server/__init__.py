"""The gRPC server: `running_server` serves a `StreamService` over a store."""

from typing import TYPE_CHECKING

from .._lazy import lazy_names

if TYPE_CHECKING:
    from ._auth import InvalidTokensError, Tokens, parse_tokens
    from ._server import ListenError, running_server
    from ._service import StreamService

__all__ = ["InvalidTokensError", "ListenError", "StreamService", "Tokens", "parse_tokens", "running_server"]

__getattr__ = lazy_names(
    __name__,
    {
        "_auth": ("InvalidTokensError", "Tokens", "parse_tokens"),
        "_server": ("ListenError", "running_server"),
        "_service": ("StreamService",),
    },
)
