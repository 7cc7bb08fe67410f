package dev.mainstay.server.state;

import dev.mainstay.repository.Ground;

import java.util.HexFormat;

/// How one process is called among the servers that share a state, in jobs, receivers and the audit
/// trail alike.
public record ServerName(String text) {
    /// One that nobody had before.
    public static ServerName next(Ground ground) {
        return new ServerName("server-" + HexFormat.of().formatHex(ground.randomBytes(6)));
    }

    @Override
    public String toString() {
        return text;
    }
}
