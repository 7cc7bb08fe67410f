package dev.mainstay.postgres.protocol;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.TimelineId;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// A base backup as it comes from a server: tar archives, one for each tablespace and the data
/// directory's as the last, then the manifest. From 15 on all of them come in one copy whose
/// messages say what they are; before, each in a copy of its own.
///
/// For one thread, but [#close] may come from any and ends a blocked read. What fails is thrown as
/// [MainstayException] by every method and by the streams, as [ReplicationConnection] has it; the
/// server has ended the backup then.
public final class BaseBackupStream implements AutoCloseable {
    /// Where replay has to begin, and up to where it has to come.
    public record Position(Lsn lsn, TimelineId timeline) {}

    /// What one archive holds.
    ///
    /// @param oid of the tablespace; empty for the data directory
    /// @param location as the server names it; empty for the data directory
    /// @param sizeBytes about; empty if the server did not say
    public record Tablespace(Optional<String> oid, String location, OptionalLong sizeBytes) {}

    /// What the server sends. A stream ends where its part does, and means nothing once the next
    /// part was asked for.
    public sealed interface Part {
        InputStream content();
    }

    /// A tar archive. It may lack the two blocks that end one.
    public record Archive(Tablespace of, InputStream content) implements Part {}

    /// The backup manifest, after all archives.
    public record Manifest(InputStream content) implements Part {}

    /// How the backup ended.
    ///
    /// @param damage what the server says of pages whose checksums are wrong
    public record End(Position position, Optional<ServerError> damage) {}

    /// DATA_CORRUPTED
    private static final String DAMAGED = "XX001";

    private final Session session;
    private final boolean multiplexed;
    private final Position start;
    private final List<Tablespace> tablespaces;
    private final Deque<Tablespace> expected;
    private boolean manifestSeen;
    private boolean copying = true;
    private boolean over;
    private long received;
    private Optional<Content> current = Optional.empty();

    /// A part that was announced while the one before was read.
    private Optional<Part> announced = Optional.empty();

    private BaseBackupStream(
            Session session, boolean multiplexed, Position start, List<Tablespace> tablespaces) {
        this.session = session;
        this.multiplexed = multiplexed;
        this.start = start;
        this.tablespaces = List.copyOf(tablespaces);
        this.expected = new ArrayDeque<>(tablespaces);
    }

    /// Reads what comes before the first archive; the command was sent.
    static BaseBackupStream begin(Session session, boolean multiplexed) throws IOException {
        Position start = position(session, "the start of the backup");
        List<Tablespace> tablespaces = new ArrayList<>();
        while (true) {
            switch (session.await()) {
                case 'T', 'C' -> {
                    // what columns there are is known
                }
                case 'D' -> tablespaces.add(tablespace(session));
                case 'H' -> {
                    return new BaseBackupStream(session, multiplexed, start, tablespaces);
                }
                case 'E' -> throw session.failed();
                default -> throw session.unexpected("BASE_BACKUP");
            }
        }
    }

    /// One result set with one row, up to its end.
    private static Position position(Session session, String what) throws IOException {
        Optional<Position> position = Optional.empty();
        while (true) {
            switch (session.await()) {
                case 'T' -> {
                    // recptr and tli
                }
                case 'D' -> {
                    List<Optional<byte[]>> row = ReplicationConnection.row(session.inbox.body());
                    position = Optional.of(position(session, row, what));
                }
                case 'C' -> {
                    return position.orElseThrow(() -> lacks(session, what));
                }
                case 'E' -> throw session.failed();
                default -> throw session.unexpected(what);
            }
        }
    }

    private static Position position(Session session, List<Optional<byte[]>> row, String what) {
        try {
            if (row.size() >= 2) {
                return new Position(
                        Lsn.parse(ReplicationConnection.text(row, 0).orElse("")),
                        TimelineId.of(
                                Integer.parseUnsignedInt(
                                        ReplicationConnection.text(row, 1).orElse(""))));
            }
        } catch (IllegalArgumentException _) {
            // said below
        }
        throw lacks(session, what);
    }

    private static MainstayException lacks(Session session, String what) {
        session.close();
        return Failures.protocol(what + " has no position");
    }

    private static Tablespace tablespace(Session session) {
        List<Optional<byte[]>> row = ReplicationConnection.row(session.inbox.body());
        try {
            if (row.size() >= 3) {
                Optional<String> oid = ReplicationConnection.text(row, 0);
                Optional<String> kib = ReplicationConnection.text(row, 2);
                boolean number = oid.map(text -> text.matches("[1-9]\\d{0,9}")).orElse(true);
                if (number) {
                    return new Tablespace(
                            oid,
                            ReplicationConnection.text(row, 1).orElse(""),
                            kib.isPresent()
                                    ? OptionalLong.of(Long.parseLong(kib.get()) * 1024)
                                    : OptionalLong.empty());
                }
            }
        } catch (NumberFormatException _) {
            // said below
        }
        session.close();
        throw Failures.protocol("an impossible tablespace in a base backup");
    }

    public Position start() {
        return start;
    }

    /// In the order in which their archives come: the data directory is the last.
    public List<Tablespace> tablespaces() {
        return tablespaces;
    }

    /// How many bytes of archives and manifest came so far.
    public long receivedBytes() {
        return received;
    }

    /// The next archive or the manifest; what was not read of the part before is passed over. Empty
    /// after the last.
    public Optional<Part> next() {
        try {
            if (current.isPresent() && announced.isEmpty()) {
                current.get().drain();
            }
            Optional<Part> part = multiplexed ? nextAnnounced() : nextCopy();
            if (part.isEmpty() && (!expected.isEmpty() || !manifestSeen)) {
                session.close();
                throw Failures.protocol("a base backup without all its archives and its manifest");
            }
            return part;
        } catch (IOException failure) {
            throw broken(failure);
        }
    }

    private Optional<Part> nextAnnounced() throws IOException {
        while (announced.isEmpty() && copying) {
            if (receive().isPresent()) {
                session.close();
                throw Failures.protocol("content of a base backup that belongs to nothing");
            }
        }
        Optional<Part> part = announced;
        announced = Optional.empty();
        return part;
    }

    /// Before 15: every archive in a copy of its own, in the order of the list, then the manifest.
    private Optional<Part> nextCopy() throws IOException {
        if (current.isPresent() && !copying && !manifestSeen) {
            byte type = session.await();
            if (type == 'E') {
                throw session.failed();
            } else if (type != 'H') {
                throw session.unexpected("the end of an archive");
            }
            copying = true;
        }
        if (!copying) {
            return Optional.empty();
        }
        return Optional.of(expected.isEmpty() ? manifest() : archive(expected.removeFirst()));
    }

    private Part archive(Tablespace tablespace) {
        Content content = new Content();
        current = Optional.of(content);
        return new Archive(tablespace, content);
    }

    private Part manifest() {
        manifestSeen = true;
        Content content = new Content();
        current = Optional.of(content);
        return new Manifest(content);
    }

    /// The next bytes of the current part; empty where it ends.
    private Optional<ByteBuffer> receive() throws IOException {
        while (copying && announced.isEmpty()) {
            switch (session.await()) {
                case 'd' -> {
                    ByteBuffer body = session.inbox.body();
                    if (!multiplexed) {
                        return Optional.of(body);
                    }
                    byte kind = body.hasRemaining() ? body.get() : 0;
                    switch (kind) {
                        case 'd' -> {
                            return Optional.of(body);
                        }
                        case 'n' -> announced = Optional.of(newArchive(body));
                        case 'm' -> announced = Optional.of(newManifest());
                        case 'p' -> {
                            // how far the server is; so are we
                        }
                        default -> throw unknown(kind);
                    }
                }
                case 'c' -> copying = false;
                case 'E' -> throw session.failed();
                default -> throw session.unexpected("a base backup");
            }
        }
        return Optional.empty();
    }

    private Part newArchive(ByteBuffer body) {
        String name = ServerError.Fields.text(body);
        String location = ServerError.Fields.text(body);
        Tablespace next = expected.pollFirst();
        if (next == null
                || !location.equals(next.location)
                || !name.startsWith(next.oid.orElse("base") + ".tar")) {
            session.close();
            throw Failures.protocol("an archive '" + name + "' that was not announced");
        }
        return archive(next);
    }

    private Part newManifest() {
        if (manifestSeen || !expected.isEmpty()) {
            session.close();
            throw Failures.protocol("a manifest where none belongs");
        }
        return manifest();
    }

    private MainstayException unknown(byte kind) {
        session.close();
        return Failures.protocol("a message of kind " + kind + " in a base backup");
    }

    /// Reads the end; every part was asked for. The connection is free for the next command.
    public End end() {
        if (over || copying) {
            throw new IllegalStateException("a base backup is not read to its end");
        }
        over = true;
        try {
            Position stop = position(session, "the end of the backup");
            while (true) {
                switch (session.await()) {
                    case 'C' -> {
                        // said already
                    }
                    case 'Z' -> {
                        return new End(stop, Optional.empty());
                    }
                    case 'E' -> {
                        return new End(stop, Optional.of(damage(session.failed())));
                    }
                    default -> throw session.unexpected("the end of the backup");
                }
            }
        } catch (IOException failure) {
            throw broken(failure);
        }
    }

    /// Only once everything was sent the server says in an error that pages were wrong.
    private static ServerError damage(ServerException failed) {
        if (!failed.sqlState().equals(DAMAGED)) {
            throw failed;
        }
        return failed.error();
    }

    private MainstayException broken(IOException failure) {
        over = true;
        session.close();
        return Failures.of(failure, session.host.toString());
    }

    /// Ends the connection unless the backup was read to its end, and with it the backup in the
    /// server.
    @Override
    public void close() {
        if (!over) {
            over = true;
            session.close();
        }
    }

    /// The bytes of one part.
    private final class Content extends InputStream {
        private ByteBuffer rest = ByteBuffer.allocate(0);
        private boolean ended;

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            if (length == 0) {
                return 0;
            }
            if (!fill()) {
                return -1;
            }
            int count = Math.min(length, rest.remaining());
            rest.get(into, offset, count);
            return count;
        }

        private boolean fill() {
            try {
                while (!ended && !rest.hasRemaining()) {
                    Optional<ByteBuffer> more =
                            current.filter(part -> part == this).isPresent()
                                    ? receive()
                                    : Optional.empty();
                    ended = more.isEmpty();
                    more.ifPresent(bytes -> rest = bytes);
                    received += rest.remaining();
                }
                return rest.hasRemaining();
            } catch (IOException failure) {
                throw broken(failure);
            }
        }

        private void drain() {
            while (fill()) {
                rest.position(rest.limit());
            }
        }
    }
}
