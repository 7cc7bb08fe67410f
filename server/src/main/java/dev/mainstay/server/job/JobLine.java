package dev.mainstay.server.job;

import java.time.Instant;

/// A line of a job's log.
public record JobLine(int number, Instant at, String text) {}
