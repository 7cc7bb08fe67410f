package dev.mainstay.server.notify;

import java.io.IOException;
import java.util.List;

/// What a server of a test puts to a channel.
public final class Inbox implements AutoCloseable {
    private final Receiver receiver;

    private Inbox(Receiver receiver) {
        this.receiver = receiver;
    }

    public static Inbox open() throws IOException {
        return new Inbox(Receiver.plain());
    }

    public String url() {
        return "http://127.0.0.1:" + receiver.port() + "/";
    }

    public List<String> bodies() {
        return List.copyOf(receiver.bodies);
    }

    @Override
    public void close() {
        receiver.close();
    }
}
