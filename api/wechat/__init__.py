"""For WeChat, which calls back."""
