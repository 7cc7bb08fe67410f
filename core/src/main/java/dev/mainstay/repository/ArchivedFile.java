package dev.mainstay.repository;

import dev.mainstay.base.SystemId;
import dev.mainstay.repository.format.Frame;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.SealedObject;

import java.io.IOException;
import java.util.Arrays;
import java.util.HexFormat;

import javax.crypto.Mac;

/// An object of a WAL archive that holds a file, while it is read: its first frame says what it is,
/// the others are the file's bytes. Each piece is hashed and passed on while it is in the
/// processor's cache.
final class ArchivedFile implements SealedObject.Frames<IOException> {
    private final String name;
    private final String fileName;
    private final SystemId system;
    private final Mac mac;
    private final WalArchive.Sink sink;
    private String digest = "";
    private long missing;

    /// @param name of the object
    /// @param fileName that it must hold
    ArchivedFile(String name, String fileName, SystemId system, Mac mac, WalArchive.Sink sink) {
        this.name = name;
        this.fileName = fileName;
        this.system = system;
        this.mac = mac;
        this.sink = sink;
    }

    @Override
    public void accept(int number, Frame frame) throws IOException {
        if (number == 0) {
            Json facts = Json.parse(name, frame.toBytes());
            missing = facts.number("length");
            digest = facts.string("digest");
            if (!facts.string("name").equals(fileName)
                    || !facts.string("system").equals(system.toString())
                    || missing < 0
                    || missing > WalArchive.MAX_SEGMENT) {
                throw WalArchive.damaged(name);
            }
            sink.begin((int) missing);
            return;
        }
        if (frame.length() > missing) {
            throw WalArchive.damaged(name);
        }
        missing -= frame.length();
        mac.update(frame.payload(), 0, frame.length());
        sink.accept(frame.payload(), 0, frame.length());
    }

    /// Demands that all of it came, and is what was stored.
    void end() {
        if (missing != 0 || !digest.equals(HexFormat.of().formatHex(mac.doFinal()))) {
            throw WalArchive.damaged(name);
        }
    }

    /// Keeps a file in memory.
    static final class InMemory implements WalArchive.Sink {
        private byte[] content = new byte[0];
        private int length;

        @Override
        public void begin(int lengthBytes) {
            content = new byte[lengthBytes];
        }

        @Override
        public void accept(byte[] bytes, int offset, int length) {
            System.arraycopy(bytes, offset, content, this.length, length);
            this.length += length;
        }

        /// To be called once all of it came.
        byte[] bytes() {
            return length == content.length ? content : Arrays.copyOf(content, length);
        }
    }
}
