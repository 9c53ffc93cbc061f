"""The `zhuoluo` command, a file per concept."""
