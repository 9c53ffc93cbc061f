"""How Zhuoluo runs: its command, the services of a single machine, and what larger installations need."""
