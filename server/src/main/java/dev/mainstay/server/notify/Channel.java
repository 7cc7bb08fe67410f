package dev.mainstay.server.notify;

import java.util.List;

/// Tells something somewhere. What it was told of is told when the call returns.
interface Channel {
    /// Whether several notices are told in one message.
    default boolean isGrouping() {
        return false;
    }

    /// @param notices at least one; without [#isGrouping] just one
    void send(List<Notice> notices) throws DeliveryFailure, InterruptedException;
}
