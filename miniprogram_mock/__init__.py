"""The outside of the product, played over HTTP: the WeChat platform and the phones. Imports nothing of ours."""
