package dev.mainstay.postgres.protocol;

import static dev.mainstay.postgres.protocol.FakeServer.bytes;
import static dev.mainstay.postgres.protocol.FakeServer.complete;
import static dev.mainstay.postgres.protocol.FakeServer.copyBoth;
import static dev.mainstay.postgres.protocol.FakeServer.error;
import static dev.mainstay.postgres.protocol.FakeServer.int4;
import static dev.mainstay.postgres.protocol.FakeServer.join;
import static dev.mainstay.postgres.protocol.FakeServer.keepAlive;
import static dev.mainstay.postgres.protocol.FakeServer.message;
import static dev.mainstay.postgres.protocol.FakeServer.ready;
import static dev.mainstay.postgres.protocol.FakeServer.row;
import static dev.mainstay.postgres.protocol.FakeServer.text;
import static dev.mainstay.postgres.protocol.FakeServer.wal;
import static dev.mainstay.postgres.protocol.FakeServer.welcome;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;

/// Against a scripted server: what no real one does, or not when asked.
@Timeout(30)
final class ReplicationConnectionTest {
    private static final ReplicationOptions OPTIONS =
            ReplicationOptions.of(() -> Instant.ofEpochSecond(946_684_801));
    private static final Duration SOON = Duration.ofSeconds(10);
    private static final TimelineId ONE = TimelineId.of(1);

    private static ReplicationConnection open(FakeServer server) {
        return ReplicationConnection.open(server.spec("?sslmode=disable"), OPTIONS);
    }

    private static WalStream stream(ReplicationConnection connection, long start) {
        return connection.startPhysicalReplication(Optional.empty(), Lsn.of(start), ONE);
    }

    private static ErrorCode codeOf(ThrowingCallable call) {
        return catchThrowableOfType(MainstayException.class, call).code();
    }

    @Test
    void everythingArrivesOneByteAtATime() {
        byte[] history = {1, 0, (byte) 0xFF, '\n', '\\'};
        try (FakeServer server =
                        new FakeServer(
                                talk -> {
                                    talk.startup();
                                    talk.drip(welcome());
                                    assertThat(talk.query()).isEqualTo("IDENTIFY_SYSTEM");
                                    talk.drip(
                                            join(
                                                    row(
                                                            bytes("18446744073709551615"),
                                                            bytes("3"),
                                                            bytes("1/2000028"),
                                                            bytes("")),
                                                    ready()));
                                    assertThat(talk.query()).isEqualTo("TIMELINE_HISTORY 3");
                                    talk.drip(
                                            join(row(bytes("00000003.history"), history), ready()));
                                    talk.query();
                                    talk.drip(
                                            join(
                                                    copyBoth(),
                                                    wal(4096, bytes("first")),
                                                    keepAlive(9000, true),
                                                    wal(4101, bytes("second"))));
                                    talk.expect('X');
                                });
                ReplicationConnection connection = open(server)) {
            SystemIdentity identity = connection.identifySystem();
            assertThat(identity.systemId()).isEqualTo(SystemId.of(-1));
            assertThat(identity.timeline()).isEqualTo(TimelineId.of(3));
            assertThat(identity.flushed()).isEqualTo(Lsn.parse("1/2000028"));
            assertThat(connection.timelineHistory(TimelineId.of(3)).content()).isEqualTo(history);
            WalStream stream = stream(connection, 4096);
            assertThat(data(stream.read(SOON))).isEqualTo("first");
            assertThat(stream.read(SOON))
                    .isEqualTo(
                            new WalMessage.KeepAlive(
                                    Lsn.of(9000), Instant.parse("2000-01-01T00:00:00Z"), true));
            assertThat(data(stream.read(SOON))).isEqualTo("second");
        }
    }

    private static String data(WalMessage message) {
        ByteBuffer data = ((WalMessage.WalData) message).data();
        byte[] bytes = new byte[data.remaining()];
        data.duplicate().get(bytes);
        return new String(bytes, java.nio.charset.StandardCharsets.UTF_8);
    }

    @Test
    void aMessageCutAnywhereIsIdleUntilTheRestComes() {
        byte[] message = wal(0, bytes("payload"));
        for (int cut = 1; cut < message.length; cut++) {
            int at = cut;
            CountDownLatch sawIdle = new CountDownLatch(1);
            try (FakeServer server =
                            new FakeServer(
                                    talk -> {
                                        talk.logIn();
                                        talk.query();
                                        talk.raw(copyBoth());
                                        talk.raw(java.util.Arrays.copyOf(message, at));
                                        await(sawIdle);
                                        talk.raw(
                                                java.util.Arrays.copyOfRange(
                                                        message, at, message.length));
                                        talk.awaitHangUp();
                                    });
                    ReplicationConnection connection = open(server)) {
                WalStream stream = stream(connection, 0);
                assertThat(stream.read(Duration.ofMillis(2))).isInstanceOf(WalMessage.Idle.class);
                sawIdle.countDown();
                assertThat(data(stream.read(SOON))).isEqualTo("payload");
            }
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aDeathInTheMiddleOfAMessageIsAnUnreachableServer() {
        byte[] message = wal(0, bytes("payload"));
        for (int cut = 0; cut < message.length; cut++) {
            byte[] part = java.util.Arrays.copyOf(message, cut);
            try (FakeServer server =
                            new FakeServer(
                                    talk -> {
                                        talk.logIn();
                                        talk.query();
                                        talk.raw(join(copyBoth(), part));
                                    });
                    ReplicationConnection connection = open(server)) {
                WalStream stream = stream(connection, 0);
                assertThat(codeOf(() -> stream.read(SOON))).isEqualTo(ErrorCode.SERVER_UNREACHABLE);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {Integer.MAX_VALUE, -1, 0, 3, (16 << 20) + 5})
    void anImpossibleLengthIsRefused(int length) {
        try (FakeServer server =
                        new FakeServer(
                                talk -> {
                                    talk.logIn();
                                    talk.query();
                                    talk.raw(join(copyBoth(), bytes("d"), int4(length)));
                                    talk.awaitHangUp();
                                });
                ReplicationConnection connection = open(server)) {
            WalStream stream = stream(connection, 0);
            assertThat(codeOf(() -> stream.read(SOON))).isEqualTo(ErrorCode.SERVER_PROTOCOL);
        }
    }

    @Test
    void beforeTheLoginALongMessageIsRefused() {
        try (FakeServer server =
                new FakeServer(
                        talk -> {
                            talk.startup();
                            talk.raw(join(bytes("E"), int4(1 << 20)));
                            talk.awaitHangUp();
                        })) {
            assertThat(codeOf(() -> open(server))).isEqualTo(ErrorCode.SERVER_PROTOCOL);
        }
    }

    @Test
    void aMessageLargerThanTheBufferGrowsIt() {
        byte[] large = new byte[3 << 20];
        large[large.length - 1] = 42;
        try (FakeServer server =
                        new FakeServer(
                                talk -> {
                                    talk.logIn();
                                    talk.query();
                                    talk.raw(
                                            join(
                                                    copyBoth(),
                                                    wal(0, large),
                                                    wal(large.length, bytes("next"))));
                                    talk.awaitHangUp();
                                });
                ReplicationConnection connection = open(server)) {
            WalStream stream = stream(connection, 0);
            ByteBuffer data = ((WalMessage.WalData) stream.read(SOON)).data();
            assertThat(data.remaining()).isEqualTo(large.length);
            assertThat(data.get(large.length - 1)).isEqualTo((byte) 42);
            assertThat(data(stream.read(SOON))).isEqualTo("next");
        }
    }

    @Test
    void walThatDoesNotFollowIsRefused() {
        try (FakeServer server =
                        new FakeServer(
                                talk -> {
                                    talk.logIn();
                                    talk.query();
                                    talk.raw(join(copyBoth(), wal(8192, bytes("x"))));
                                    talk.awaitHangUp();
                                });
                ReplicationConnection connection = open(server)) {
            WalStream stream = stream(connection, 4096);
            assertThatThrownBy(() -> stream.read(SOON))
                    .isInstanceOf(MainstayException.class)
                    .hasMessageContaining("WAL from 0/2000 where 0/1000 follows");
        }
    }

    @Test
    void anErrorLeavesTheConnectionUsableAndKeepsItsFields() {
        try (FakeServer server =
                        new FakeServer(
                                talk -> {
                                    talk.logIn();
                                    talk.query();
                                    talk.raw(join(error("ERROR", "42704", "no slot"), ready()));
                                    talk.query();
                                    talk.raw(join(row(bytes("16MB")), ready()));
                                    talk.awaitHangUp();
                                });
                ReplicationConnection connection = open(server)) {
            ServerException failure =
                    catchThrowableOfType(
                            ServerException.class, () -> connection.dropSlot("mine", false));
            assertThat(failure.code()).isEqualTo(ErrorCode.SERVER_QUERY_FAILED);
            assertThat(failure.sqlState()).isEqualTo("42704");
            assertThat(failure.hint()).isEqualTo("look there");
            assertThat(connection.show("wal_segment_size")).isEqualTo("16MB");
        }
    }

    @Test
    void aFatalErrorInTheStreamIsQuoted() {
        try (FakeServer server =
                        new FakeServer(
                                talk -> {
                                    talk.logIn();
                                    talk.query();
                                    talk.raw(
                                            join(
                                                    copyBoth(),
                                                    error("FATAL", "57P01", "shutting down")));
                                });
                ReplicationConnection connection = open(server)) {
            WalStream stream = stream(connection, 0);
            ServerException failure =
                    catchThrowableOfType(ServerException.class, () -> stream.read(SOON));
            assertThat(failure.code()).isEqualTo(ErrorCode.SERVER_UNREACHABLE);
            assertThat(failure).hasMessageContaining("shutting down");
        }
    }

    @Test
    void removedWalIsAGap() {
        try (FakeServer server =
                        new FakeServer(
                                talk -> {
                                    talk.logIn();
                                    talk.query();
                                    talk.raw(
                                            join(
                                                    copyBoth(),
                                                    error("ERROR", "58P01", "already removed"),
                                                    ready()));
                                    talk.awaitHangUp();
                                });
                ReplicationConnection connection = open(server)) {
            WalStream stream = stream(connection, 0);
            assertThat(codeOf(() -> stream.read(SOON))).isEqualTo(ErrorCode.WAL_GAP);
        }
    }

    @Test
    void theEndOfATimelineIsAnsweredAndTheConnectionGoesOn() {
        byte[] next = join(row(bytes("2"), bytes("0/3000")), complete(), ready());
        try (FakeServer server =
                        new FakeServer(
                                talk -> {
                                    talk.logIn();
                                    talk.query();
                                    talk.raw(join(copyBoth(), wal(0, bytes("x")), message('c')));
                                    talk.expect('c');
                                    talk.raw(next);
                                    assertThat(talk.query())
                                            .isEqualTo(
                                                    "START_REPLICATION SLOT \"s\" PHYSICAL 0/3000"
                                                            + " TIMELINE 2");
                                    // nothing at all on this one: no copy, at once the next
                                    talk.raw(next);
                                    talk.awaitHangUp();
                                });
                ReplicationConnection connection = open(server)) {
            WalStream stream = stream(connection, 0);
            stream.read(SOON);
            WalMessage.TimelineEnd end =
                    new WalMessage.TimelineEnd(TimelineId.of(2), Lsn.of(0x3000));
            assertThat(stream.read(SOON)).isEqualTo(end);
            assertThatThrownBy(() -> stream.read(SOON)).isInstanceOf(IllegalStateException.class);
            WalStream second =
                    connection.startPhysicalReplication(
                            Optional.of("s"), end.switchLsn(), end.nextTimeline());
            assertThat(second.read(SOON)).isEqualTo(end);
        }
    }

    @Test
    void aSilentServerIsAskedForASignOfLifeAndThenGivenUp() {
        try (FakeServer server =
                        new FakeServer(
                                talk -> {
                                    talk.logIn();
                                    talk.query();
                                    talk.raw(copyBoth());
                                    ByteBuffer status = ByteBuffer.wrap(talk.expect('d'));
                                    assertThat(status.get(0)).isEqualTo((byte) 'r');
                                    assertThat(status.getLong(25)).isEqualTo(1_000_000L);
                                    assertThat(status.get(33)).isEqualTo((byte) 1);
                                    talk.raw(keepAlive(5, false));
                                    talk.expect('d');
                                    talk.awaitHangUp();
                                });
                ReplicationConnection connection =
                        ReplicationConnection.open(
                                server.spec("?sslmode=disable"),
                                OPTIONS.withLiveness(Duration.ofMillis(300)))) {
            WalStream stream = stream(connection, 0);
            assertThat(stream.read(SOON)).isInstanceOf(WalMessage.KeepAlive.class);
            assertThat(codeOf(() -> stream.read(SOON))).isEqualTo(ErrorCode.SERVER_UNREACHABLE);
            server.assertPlayed();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @SuppressWarnings("try") // closing early, from another thread, is what is tested
    void aBlockedReadEndsAtOnceByInterruptOrByClosing(boolean interrupt) throws Exception {
        CountDownLatch reading = new CountDownLatch(1);
        try (FakeServer server =
                        new FakeServer(
                                talk -> {
                                    talk.logIn();
                                    talk.query();
                                    talk.raw(copyBoth());
                                    talk.awaitHangUp();
                                });
                ReplicationConnection connection = open(server)) {
            WalStream stream = stream(connection, 0);
            AtomicReference<ErrorCode> code = new AtomicReference<>();
            Thread reader =
                    Thread.ofVirtual()
                            .start(
                                    () -> {
                                        reading.countDown();
                                        code.set(codeOf(() -> stream.read(SOON)));
                                    });
            reading.await();
            if (interrupt) {
                reader.interrupt();
            } else {
                connection.close();
            }
            assertThat(reader.join(Duration.ofSeconds(5))).isTrue();
            assertThat(code.get()).isEqualTo(ErrorCode.INTERRUPTED);
        }
    }

    @Test
    void aStoppedStreamDrainsAndFreesTheConnection() {
        try (FakeServer server =
                        new FakeServer(
                                talk -> {
                                    talk.logIn();
                                    talk.query();
                                    talk.raw(copyBoth());
                                    talk.expect('c');
                                    talk.raw(
                                            join(
                                                    wal(0, bytes("late")),
                                                    message('c'),
                                                    complete(),
                                                    ready()));
                                    talk.query();
                                    talk.raw(join(row(bytes("on")), ready()));
                                    talk.awaitHangUp();
                                });
                ReplicationConnection connection = open(server)) {
            stream(connection, 0).close();
            assertThat(connection.show("fsync")).isEqualTo("on");
        }
    }

    @Test
    void wrongMessagesAreRefusedAtEachStep() {
        FakeServer.Script[] scripts = {
            talk -> {
                talk.startup();
                talk.raw(ready());
                talk.awaitHangUp();
            },
            talk -> {
                talk.startup();
                talk.raw(message('R', new byte[2]));
                talk.awaitHangUp();
            },
            talk -> {
                talk.startup();
                talk.raw(message('R', int4(11), bytes("r=x")));
                talk.awaitHangUp();
            },
            talk -> {
                talk.startup();
                talk.raw(message('v', int4(0), int4(0)));
                talk.awaitHangUp();
            },
        };
        for (FakeServer.Script script : scripts) {
            try (FakeServer server = new FakeServer(script)) {
                assertThat(codeOf(() -> open(server))).isEqualTo(ErrorCode.SERVER_PROTOCOL);
            }
        }
    }

    @Test
    void aServerThatSkipsItsScramProofIsRefused() {
        try (FakeServer server =
                new FakeServer(
                        talk -> {
                            talk.startup();
                            talk.raw(message('R', int4(10), text("SCRAM-SHA-256"), new byte[1]));
                            talk.expect('p');
                            talk.raw(welcome());
                            talk.awaitHangUp();
                        })) {
            assertThatThrownBy(() -> open(server))
                    .isInstanceOf(MainstayException.class)
                    .hasMessageContaining("did not prove");
        }
    }

    @Test
    void aPasswordInClearTextNeedsToBeAskedFor() {
        FakeServer.Script script =
                talk -> {
                    talk.startup();
                    talk.raw(message('R', int4(3)));
                    assertThat(talk.expect('p')).isEqualTo(text("secret"));
                    talk.raw(welcome());
                    talk.awaitHangUp();
                };
        try (FakeServer server = new FakeServer(script)) {
            assertThat(codeOf(() -> open(server))).isEqualTo(ErrorCode.SERVER_LOGIN_REFUSED);
        }
        try (FakeServer server = new FakeServer(script)) {
            ReplicationConnection.open(
                            server.spec("?sslmode=disable&require_auth=password"), OPTIONS)
                    .close();
        }
    }

    @Test
    void aServerWithoutTlsIsRefusedWhereItIsRequired() {
        try (FakeServer server =
                new FakeServer(
                        talk -> {
                            talk.startup();
                            talk.raw(bytes("N"));
                            talk.awaitHangUp();
                        })) {
            assertThat(
                            codeOf(
                                    () ->
                                            ReplicationConnection.open(
                                                    server.spec("?sslmode=require"), OPTIONS)))
                    .isEqualTo(ErrorCode.SERVER_TLS);
        }
    }

    @Test
    void bytesSmuggledBehindTheYesToTlsAreRefused() {
        try (FakeServer server =
                new FakeServer(
                        talk -> {
                            talk.startup();
                            talk.raw(join(bytes("S"), welcome()));
                            talk.awaitHangUp();
                        })) {
            assertThat(
                            codeOf(
                                    () ->
                                            ReplicationConnection.open(
                                                    server.spec("?sslmode=require"), OPTIONS)))
                    .isEqualTo(ErrorCode.SERVER_PROTOCOL);
        }
    }

    @Test
    void hostsAreTriedInOrderUntilOneIsOfTheWantedKind() {
        byte[] standby =
                join(
                        message('R', int4(0)),
                        message('S', text("server_version"), text("17.1")),
                        message('S', text("in_hot_standby"), text("on")),
                        ready());
        try (FakeServer first =
                        new FakeServer(
                                talk -> {
                                    talk.startup();
                                    talk.raw(standby);
                                    talk.awaitHangUp();
                                });
                FakeServer second =
                        new FakeServer(
                                talk -> {
                                    talk.logIn();
                                    talk.awaitHangUp();
                                })) {
            String url =
                    "postgresql://bob@127.0.0.1:"
                            + first.port()
                            + ",127.0.0.1:"
                            + second.port()
                            + "/db?sslmode=disable&target_session_attrs=primary";
            try (ReplicationConnection connection =
                    ReplicationConnection.open(
                            ConnectionSpec.parse(url, java.util.Map.of()), OPTIONS)) {
                assertThat(connection.host().port()).isEqualTo(second.port());
                assertThat(connection.serverMajorVersion()).isEqualTo(18);
            }
        }
    }
}
