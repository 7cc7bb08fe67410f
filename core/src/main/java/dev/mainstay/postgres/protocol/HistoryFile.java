package dev.mainstay.postgres.protocol;

/// A timeline history file, byte for byte as the server keeps it.
public final class HistoryFile {
    private final String name;
    private final byte[] content;

    HistoryFile(String name, byte[] content) {
        this.name = name;
        this.content = content.clone();
    }

    /// As in pg_wal: `00000002.history`.
    public String name() {
        return name;
    }

    public byte[] content() {
        return content.clone();
    }

    @Override
    public String toString() {
        return name;
    }
}
