"""What people and platforms ask over HTTP, divided by audience. `wire` is the one way in and out; `app` composes."""
