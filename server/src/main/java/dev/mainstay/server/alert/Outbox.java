package dev.mainstay.server.alert;

import java.time.Instant;
import java.util.List;

/// Where news of alerts go, to be told to people.
public interface Outbox {
    /// @param channels names of those that are to be told
    /// @param due not before then
    void put(Alert alert, News news, List<String> channels, Instant due, Instant now);

    /// Drops what was not told yet of an alert that is over.
    ///
    /// @return names of the channels that were told that it fired, and so have to hear that it is
    ///   over
    List<String> settle(Alert alert);
}
