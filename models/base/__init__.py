"""What every concept stands on: time, calendar, ids, errors, settings, scope, database, outbox and audit."""
