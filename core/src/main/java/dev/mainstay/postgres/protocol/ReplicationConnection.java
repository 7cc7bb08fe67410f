package dev.mainstay.postgres.protocol;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;

import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/// A physical replication connection (`replication=true`) to PostgreSQL 14 and later.
///
/// One thread uses it at a time; [#close] and [#cancel] may come from any other and end a blocked
/// call at once, and so does an interrupt (INTERRUPTED; the interrupt flag stays set).
///
/// **On failure** every method throws [MainstayException]: SERVER_UNREACHABLE (no server, no sign
/// of life, the server shuts down) is worth another try on a new connection; SERVER_TLS,
/// SERVER_LOGIN_REFUSED and SERVER_RIGHT_MISSING want a human; what the server itself said comes as
/// [ServerException] with all its fields. After a plain error of the server the connection stays
/// usable, after anything else it is closed.
public final class ReplicationConnection implements AutoCloseable {
    private static final Pattern SLOT = Pattern.compile("[a-z0-9_]{1,63}");

    private final ConnectionSpec spec;
    private final Session session;
    private boolean identified;

    private ReplicationConnection(ConnectionSpec spec, Session session) {
        this.spec = spec;
        this.session = session;
    }

    /// Connects to the first host of the spec that answers and is of the wanted kind.
    public static ReplicationConnection open(ConnectionSpec spec, ReplicationOptions options) {
        Session session = new Login(spec, options).open();
        ReplicationConnection connection = new ReplicationConnection(spec, session);
        if (connection.serverMajorVersion() < 14) {
            session.close();
            throw new MainstayException(
                    ErrorCode.SERVER_VERSION_UNSUPPORTED,
                    session.host + " runs PostgreSQL " + connection.serverMajorVersion());
        }
        return connection;
    }

    /// The host that answered.
    public ServerHost host() {
        return session.host;
    }

    /// The server's process that serves this connection.
    public int serverProcess() {
        return session.processId();
    }

    public boolean encrypted() {
        return session.transport.encrypted();
    }

    /// What the server reported about itself, such as `server_version` or `in_hot_standby`.
    public Optional<String> parameter(String name) {
        return session.parameter(name);
    }

    public int serverMajorVersion() {
        String version = session.parameter("server_version").orElse("");
        int end = 0;
        while (end < version.length() && end < 4 && Character.isDigit(version.charAt(end))) {
            end++;
        }
        if (end == 0) {
            throw Failures.protocol("no server_version");
        }
        return Integer.parseInt(version.substring(0, end));
    }

    public SystemIdentity identifySystem() {
        List<Optional<byte[]>> row = oneRow("IDENTIFY_SYSTEM", 4);
        identified = true;
        return parsed(
                "IDENTIFY_SYSTEM",
                () ->
                        new SystemIdentity(
                                SystemId.parse(text(row, 0).orElseThrow()),
                                timeline(text(row, 1).orElseThrow()),
                                Lsn.parse(text(row, 2).orElseThrow()),
                                text(row, 3)));
    }

    /// A setting of the server, as SHOW prints it.
    public String show(String name) {
        if (!name.matches("[A-Za-z_][A-Za-z0-9_.]*")) {
            throw new IllegalArgumentException("not a setting: '" + name + "'");
        }
        return text(oneRow("SHOW " + name, 1), 0).orElse("");
    }

    /// Empty if there is no such slot.
    ///
    /// @throws MainstayException SERVER_VERSION_UNSUPPORTED before PostgreSQL 15
    public Optional<SlotPosition> readReplicationSlot(String name) {
        if (serverMajorVersion() < 15) {
            throw new MainstayException(
                    ErrorCode.SERVER_VERSION_UNSUPPORTED,
                    host() + " cannot tell a slot's position over replication before version 15");
        }
        List<Optional<byte[]>> row = oneRow("READ_REPLICATION_SLOT " + slot(name), 3);
        return parsed(
                "READ_REPLICATION_SLOT",
                () ->
                        text(row, 0)
                                .map(
                                        type ->
                                                new SlotPosition(
                                                        type,
                                                        text(row, 1).map(Lsn::parse),
                                                        text(row, 2)
                                                                .map(
                                                                        ReplicationConnection
                                                                                ::timeline))));
    }

    /// @param reserveWal keep WAL from now on, not only from the first stream on
    /// @param temporary the slot vanishes with this connection, and with the first error of the
    ///   server on it
    public void createPhysicalSlot(String name, boolean reserveWal, boolean temporary) {
        query(
                "CREATE_REPLICATION_SLOT "
                        + slot(name)
                        + (temporary ? " TEMPORARY" : "")
                        + " PHYSICAL"
                        + (reserveWal ? " RESERVE_WAL" : ""));
    }

    /// @param wait until nobody uses the slot any more (at most the liveness of the options), else
    ///   a slot in use is an error
    public void dropSlot(String name, boolean wait) {
        query("DROP_REPLICATION_SLOT " + slot(name) + (wait ? " WAIT" : ""));
    }

    /// Timeline 1 has no history file; asking for it is an error of the server.
    public HistoryFile timelineHistory(TimelineId timeline) {
        List<Optional<byte[]>> row = oneRow("TIMELINE_HISTORY " + timeline, 2);
        return parsed(
                "TIMELINE_HISTORY",
                () -> new HistoryFile(text(row, 0).orElseThrow(), row.get(1).orElseThrow()));
    }

    /// Streams WAL of `timeline` from `start` on. Until the stream ends, nothing else may be asked.
    ///
    /// @throws MainstayException WAL_GAP if the server has removed that WAL already
    public WalStream startPhysicalReplication(
            Optional<String> slot, Lsn start, TimelineId timeline) {
        String command =
                "START_REPLICATION "
                        + slot.map(name -> "SLOT " + slot(name) + " ").orElse("")
                        + "PHYSICAL "
                        + start
                        + " TIMELINE "
                        + timeline;
        if (!identified && serverMajorVersion() < 15) {
            identifySystem(); // these demand it
        }
        try {
            send(command);
            byte type = session.await();
            return switch (type) {
                case 'W' -> new WalStream(session, start, Optional.empty());
                case 'T' ->
                        new WalStream(
                                session, start, Optional.of(WalStream.readTimelineEnd(session)));
                case 'E' -> throw WalStream.walGap(session.failed());
                default -> throw session.unexpected("START_REPLICATION");
            };
        } catch (IOException failure) {
            throw broken(failure);
        }
    }

    /// Writes a manifest to the server.
    public interface ManifestWriter {
        void write(OutputStream out) throws IOException;
    }

    /// Uploads the manifest of an earlier backup, on which an incremental base backup over this
    /// connection builds; from 17 on.
    ///
    /// @throws ServerException if the server refuses it
    public void uploadManifest(ManifestWriter manifest) {
        try {
            send("UPLOAD_MANIFEST");
            switch (session.await()) {
                case 'G' -> {
                    // it waits for the manifest
                }
                case 'E' -> throw session.failed();
                default -> throw session.unexpected("UPLOAD_MANIFEST");
            }
            try (OutputStream out = new CopyIn(session.outbox)) {
                manifest.write(out);
            }
            session.outbox.send('c', new byte[0]);
            while (true) {
                switch (session.await()) {
                    case 'C' -> {
                        // and it is ready
                    }
                    case 'E' -> throw session.failed();
                    case 'Z' -> {
                        return;
                    }
                    default -> throw session.unexpected("the end of UPLOAD_MANIFEST");
                }
            }
        } catch (IOException failure) {
            throw broken(failure);
        } catch (RuntimeException | Error failed) {
            if (!(failed instanceof ServerException)) {
                session.close(); // the server still waits for the rest
            }
            throw failed;
        }
    }

    /// Begins a base backup; returns when the server has made its checkpoint. Until the stream
    /// ends, nothing else may be asked.
    ///
    /// The checkpoint may take longer than the liveness of usual options.
    public BaseBackupStream startBaseBackup(BaseBackupRequest request) {
        try {
            send(request.command(serverMajorVersion()));
            return BaseBackupStream.begin(session, serverMajorVersion() >= 15);
        } catch (IOException failure) {
            throw broken(failure);
        }
    }

    /// Asks the server, over a connection of its own, to give up what this one is doing.
    public void cancel() {
        Deadline deadline = Deadline.after(spec.connectTimeout());
        try (Transport transport =
                new Login(spec, session.options)
                        .connect(session.host, session.transport.encrypted(), deadline)) {
            new Outbox(transport, spec.connectTimeout()).sendUntyped(session.cancelRequest());
            // The server hangs up when it has passed the request on.
            transport.read(ByteBuffer.allocate(1), deadline);
        } catch (IOException failure) {
            throw Failures.of(failure, session.host.toString());
        }
    }

    @Override
    public void close() {
        session.close();
    }

    private static String slot(String name) {
        if (!SLOT.matcher(name).matches()) {
            throw new IllegalArgumentException("not a slot name: '" + name + "'");
        }
        return '"' + name + '"';
    }

    private static TimelineId timeline(String decimal) {
        return TimelineId.of(Integer.parseUnsignedInt(decimal));
    }

    private void send(String command) throws IOException {
        session.outbox.send('Q', Outbox.text(command));
    }

    private MainstayException broken(IOException failure) {
        session.close();
        return Failures.of(failure, session.host.toString());
    }

    private List<Optional<byte[]>> oneRow(String command, int columns) {
        List<List<Optional<byte[]>>> rows = query(command);
        if (rows.size() != 1 || rows.getFirst().size() < columns) {
            throw Failures.protocol("not one row of " + columns + " columns to " + command);
        }
        return rows.getFirst();
    }

    private List<List<Optional<byte[]>>> query(String command) {
        List<List<Optional<byte[]>>> rows = new ArrayList<>();
        try {
            send(command);
            while (true) {
                switch (session.await()) {
                    case 'T', 'C' -> {
                        // columns are known, completion says nothing new
                    }
                    case 'D' -> rows.add(row(session.inbox.body()));
                    case 'E' -> throw session.failed();
                    case 'Z' -> {
                        return rows;
                    }
                    default -> throw session.unexpected(command);
                }
            }
        } catch (EOFException hungUp) {
            throw broken(hungUp);
        } catch (IOException failure) {
            throw broken(failure);
        }
    }

    static List<Optional<byte[]>> row(ByteBuffer body) {
        List<Optional<byte[]>> values = new ArrayList<>();
        int columns = body.remaining() < 2 ? -1 : body.getShort();
        for (int i = 0; i < columns; i++) {
            int length = body.remaining() < 4 ? Integer.MAX_VALUE : body.getInt();
            if (length > body.remaining() || length < -1) {
                throw Failures.protocol("a row that ends too early");
            }
            if (length == -1) {
                values.add(Optional.empty());
            } else {
                byte[] value = new byte[length];
                body.get(value);
                values.add(Optional.of(value));
            }
        }
        return values;
    }

    static Optional<String> text(List<Optional<byte[]>> row, int column) {
        return row.get(column).map(bytes -> new String(bytes, StandardCharsets.UTF_8));
    }

    private static <T> T parsed(String command, java.util.function.Supplier<T> parser) {
        try {
            return parser.get();
        } catch (IllegalArgumentException | java.util.NoSuchElementException rubbish) {
            throw new MainstayException(
                    ErrorCode.SERVER_PROTOCOL,
                    "unexpected answer to " + command + ": " + rubbish.getMessage(),
                    rubbish);
        }
    }
}
