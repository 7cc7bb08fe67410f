package dev.mainstay.postgres.protocol;

import static dev.mainstay.postgres.protocol.FakeServer.bytes;
import static dev.mainstay.postgres.protocol.FakeServer.complete;
import static dev.mainstay.postgres.protocol.FakeServer.error;
import static dev.mainstay.postgres.protocol.FakeServer.int4;
import static dev.mainstay.postgres.protocol.FakeServer.join;
import static dev.mainstay.postgres.protocol.FakeServer.message;
import static dev.mainstay.postgres.protocol.FakeServer.ready;
import static dev.mainstay.postgres.protocol.FakeServer.row;
import static dev.mainstay.postgres.protocol.FakeServer.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.TimelineId;
import dev.mainstay.postgres.protocol.BaseBackupStream.Position;
import dev.mainstay.postgres.protocol.BaseBackupStream.Tablespace;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// Against a scripted server: both dialects, and what no server sends.
@Timeout(30)
final class BaseBackupStreamTest {
    private static final BaseBackupRequest REQUEST =
            new BaseBackupRequest("it's mine", Optional.empty());

    private static final byte[] START = row(bytes("0/2000028"), bytes("1"));
    private static final byte[] STOP = row(bytes("0/2000150"), bytes("1"));

    /// One tablespace, and the data directory without oid and location.
    private static final byte[] TABLESPACES =
            join(
                    message('T', new byte[2]),
                    message(
                            'D',
                            new byte[] {0, 3},
                            int4(5),
                            bytes("16384"),
                            int4(6),
                            bytes("/space"),
                            int4(2),
                            bytes("10")),
                    message('D', new byte[] {0, 3}, int4(-1), int4(-1), int4(3), bytes("300")),
                    complete());

    private static final byte[] COPY = message('H', new byte[3]);
    private static final byte[] COPY_DONE = message('c');

    private static byte[] data(String content) {
        return message('d', bytes("d" + content));
    }

    private static byte[] archive(String name, String location) {
        return message('d', bytes("n"), text(name), text(location));
    }

    private static final byte[] PROGRESS = message('d', bytes("p"), new byte[8]);
    private static final byte[] MANIFEST = message('d', bytes("m"));

    private static final byte[] BODY =
            join(
                    COPY,
                    archive("16384.tar", "/space"),
                    data("one "),
                    PROGRESS,
                    data("archive"),
                    archive("base.tar", ""),
                    data("the last"),
                    MANIFEST,
                    data("{"),
                    data("}"),
                    COPY_DONE);

    private static final byte[] END = join(STOP, complete(), ready());

    /// What is heard, as `oid:content` of each archive and `manifest:content`.
    private static List<String> heard(BaseBackupStream stream) throws IOException {
        List<String> parts = new ArrayList<>();
        for (Optional<BaseBackupStream.Part> part = stream.next();
                part.isPresent();
                part = stream.next()) {
            String name =
                    switch (part.get()) {
                        case BaseBackupStream.Archive archive -> archive.of().oid().orElse("base");
                        case BaseBackupStream.Manifest _ -> "manifest";
                    };
            parts.add(
                    name
                            + ":"
                            + new String(
                                    part.get().content().readAllBytes(),
                                    java.nio.charset.StandardCharsets.UTF_8));
        }
        return parts;
    }

    private interface Judge {
        void judge(ReplicationConnection connection) throws IOException;
    }

    private static void play(String version, byte[] answer, Judge judge) throws IOException {
        try (FakeServer server =
                        new FakeServer(
                                talk -> {
                                    talk.startup();
                                    talk.raw(
                                            join(
                                                    message('R', int4(0)),
                                                    message(
                                                            'S',
                                                            text("server_version"),
                                                            text(version)),
                                                    ready()));
                                    talk.query();
                                    talk.raw(answer);
                                });
                ReplicationConnection connection =
                        ReplicationConnection.open(
                                server.spec("?sslmode=disable"),
                                ReplicationOptions.of(() -> Instant.EPOCH))) {
            judge.judge(connection);
        }
    }

    @Test
    void aManifestIsUploadedInMessagesAndThenChangesCome() throws IOException {
        byte[] manifest = new byte[200_000];
        Arrays.fill(manifest, (byte) 'x');
        List<byte[]> heard = new ArrayList<>();
        try (FakeServer server =
                        new FakeServer(
                                talk -> {
                                    talk.logIn();
                                    assertThat(talk.query()).isEqualTo("UPLOAD_MANIFEST");
                                    talk.raw(message('G', new byte[3]));
                                    for (int i = 0; i < 4; i++) {
                                        heard.add(talk.expect('d'));
                                    }
                                    talk.expect('c');
                                    talk.raw(join(complete(), ready()));
                                    assertThat(talk.query()).endsWith(", INCREMENTAL)");
                                    talk.raw(join(START, complete(), TABLESPACES, BODY, END));
                                });
                ReplicationConnection connection =
                        ReplicationConnection.open(
                                server.spec("?sslmode=disable"),
                                ReplicationOptions.of(() -> Instant.EPOCH))) {
            connection.uploadManifest(
                    out -> {
                        out.write(manifest, 0, 1000);
                        out.write('x');
                        out.write(manifest, 1001, manifest.length - 1001);
                    });
            BaseBackupStream stream =
                    connection.startBaseBackup(new BaseBackupRequest("x", Optional.empty(), true));
            heard(stream);
            assertThat(stream.receivedBytes()).isEqualTo(21);
            stream.end();
            server.assertPlayed();
        }
        assertThat(join(heard.toArray(byte[][]::new))).isEqualTo(manifest);
    }

    @Test
    void aManifestThatIsRefusedLeavesTheConnectionUsable() throws IOException {
        try (FakeServer server =
                        new FakeServer(
                                talk -> {
                                    talk.logIn();
                                    talk.query();
                                    talk.raw(message('G', new byte[3]));
                                    talk.expect('d');
                                    talk.expect('c');
                                    talk.raw(join(error("ERROR", "22023", "no manifest"), ready()));
                                    assertThat(talk.query()).doesNotContain("INCREMENTAL");
                                    talk.raw(join(START, complete(), TABLESPACES, BODY, END));
                                });
                ReplicationConnection connection =
                        ReplicationConnection.open(
                                server.spec("?sslmode=disable"),
                                ReplicationOptions.of(() -> Instant.EPOCH))) {
            assertThatThrownBy(() -> connection.uploadManifest(out -> out.write('{')))
                    .isInstanceOf(ServerException.class)
                    .hasMessageContaining("no manifest");
            assertThat(heard(connection.startBaseBackup(REQUEST))).hasSize(3);
            server.assertPlayed();
        }
    }

    /// The server would wait for the rest for ever.
    @Test
    void aManifestThatBreaksOffEndsTheConnection() throws IOException {
        try (FakeServer server =
                        new FakeServer(
                                talk -> {
                                    talk.logIn();
                                    talk.query();
                                    talk.raw(message('G', new byte[3]));
                                    talk.awaitHangUp();
                                });
                ReplicationConnection connection =
                        ReplicationConnection.open(
                                server.spec("?sslmode=disable"),
                                ReplicationOptions.of(() -> Instant.EPOCH))) {
            assertThatThrownBy(
                            () ->
                                    connection.uploadManifest(
                                            _ -> {
                                                throw new IllegalStateException("unreadable");
                                            }))
                    .hasMessage("unreadable");
            server.assertPlayed();
        }
    }

    @Test
    void optionsAreSaidAsTheVersionWantsThem() {
        assertThat(REQUEST.command(14))
                .isEqualTo(
                        "BASE_BACKUP LABEL 'it''s mine' PROGRESS FAST NOWAIT TABLESPACE_MAP"
                                + " MANIFEST 'yes' MANIFEST_CHECKSUMS 'CRC32C'");
        BaseBackupRequest slow = new BaseBackupRequest("x", Optional.of(ByteSize.mib(3)));
        assertThat(slow.command(14)).contains(" MAX_RATE 3072 ");
        assertThat(slow.command(17))
                .isEqualTo(
                        "BASE_BACKUP (LABEL 'x', PROGRESS, CHECKPOINT 'fast', WAIT 0, MAX_RATE"
                                + " 3072, TABLESPACE_MAP, MANIFEST 'yes', MANIFEST_CHECKSUMS"
                                + " 'CRC32C')");
    }

    @Test
    void archivesAndManifestComeInOneCopyFrom15On() throws IOException {
        play(
                "17.1",
                join(START, TABLESPACES, BODY, END),
                connection -> {
                    try (BaseBackupStream stream = connection.startBaseBackup(REQUEST)) {
                        assertThat(stream.start())
                                .isEqualTo(new Position(Lsn.parse("0/2000028"), TimelineId.of(1)));
                        assertThat(stream.tablespaces())
                                .containsExactly(
                                        new Tablespace(
                                                Optional.of("16384"),
                                                "/space",
                                                OptionalLong.of(10240)),
                                        new Tablespace(
                                                Optional.empty(), "", OptionalLong.of(307200)));
                        assertThat(heard(stream))
                                .containsExactly(
                                        "16384:one archive", "base:the last", "manifest:{}");
                        assertThat(stream.end())
                                .isEqualTo(
                                        new BaseBackupStream.End(
                                                new Position(
                                                        Lsn.parse("0/2000150"), TimelineId.of(1)),
                                                Optional.empty()));
                    }
                });
    }

    @Test
    void before15EachComesInACopyOfItsOwn() throws IOException {
        byte[] answer =
                join(
                        START,
                        TABLESPACES,
                        COPY,
                        message('d', bytes("one")),
                        message('d', bytes(" archive")),
                        COPY_DONE,
                        COPY,
                        COPY_DONE,
                        COPY,
                        message('d', bytes("{}")),
                        COPY_DONE,
                        END);
        play(
                "14.9",
                answer,
                connection -> {
                    try (BaseBackupStream stream = connection.startBaseBackup(REQUEST)) {
                        assertThat(heard(stream))
                                .containsExactly("16384:one archive", "base:", "manifest:{}");
                        assertThat(stream.end().position().lsn()).isEqualTo(Lsn.parse("0/2000150"));
                    }
                });
    }

    @Test
    void whatIsNotReadOfAPartIsPassedOver() throws IOException {
        play(
                "18.0",
                join(START, TABLESPACES, BODY, END),
                connection -> {
                    try (BaseBackupStream stream = connection.startBaseBackup(REQUEST)) {
                        BaseBackupStream.Part first = stream.next().orElseThrow();
                        assertThat(first.content().read()).isEqualTo('o');
                        assertThat(stream.next().orElseThrow().content().readAllBytes())
                                .isEqualTo(bytes("the last"));
                        assertThat(first.content().read()).isEqualTo(-1);
                        assertThat(stream.next()).isPresent();
                        assertThat(stream.next()).isEmpty();
                        stream.end();
                    }
                });
    }

    @Test
    void pagesThatTheServerFoundDamagedAreSaidAtTheEnd() throws IOException {
        byte[] end = join(STOP, error("ERROR", "XX001", "checksum verification failure"), ready());
        play(
                "16.0",
                join(START, TABLESPACES, BODY, end),
                connection -> {
                    try (BaseBackupStream stream = connection.startBaseBackup(REQUEST)) {
                        heard(stream);
                        assertThat(stream.end().damage().orElseThrow().message())
                                .contains("checksum verification");
                    }
                });
        play(
                "16.0",
                join(START, TABLESPACES, BODY, STOP, error("ERROR", "58000", "other"), ready()),
                connection -> {
                    try (BaseBackupStream stream = connection.startBaseBackup(REQUEST)) {
                        heard(stream);
                        assertThatThrownBy(stream::end).hasMessageContaining("other");
                    }
                });
    }

    /// Wherever the connection is lost, it is said, and never taken for an end.
    @Test
    void aLostConnectionIsAnErrorWhereverItIsCut() throws IOException {
        byte[] whole = join(START, TABLESPACES, BODY, END);
        for (int length = 0; length < whole.length; length++) {
            byte[] part = Arrays.copyOf(whole, length);
            play(
                    "15.2",
                    part,
                    connection -> {
                        MainstayException lost =
                                catchThrowableOfType(
                                        MainstayException.class,
                                        () -> {
                                            try (BaseBackupStream stream =
                                                    connection.startBaseBackup(REQUEST)) {
                                                heard(stream);
                                                stream.end();
                                            }
                                        });
                        assertThat(lost).as("cut after %d bytes", part.length).isNotNull();
                        assertThat(lost.code()).isEqualTo(ErrorCode.SERVER_UNREACHABLE);
                    });
        }
    }

    @Test
    void whatWasNotAnnouncedIsRefused() throws IOException {
        List<byte[]> wrong =
                List.of(
                        join(COPY, archive("16385.tar", "/space"), COPY_DONE, END),
                        join(COPY, archive("16384.tar", "/other"), COPY_DONE, END),
                        join(COPY, data("nobody's"), COPY_DONE, END),
                        join(COPY, MANIFEST, data("{}"), COPY_DONE, END),
                        join(COPY, message('d', bytes("x")), COPY_DONE, END),
                        join(COPY, COPY_DONE, END),
                        join(COPY, archive("16384.tar", "/space"), COPY_DONE, END),
                        END);
        for (byte[] answer : wrong) {
            play(
                    "15.2",
                    join(START, TABLESPACES, answer),
                    connection ->
                            assertThatThrownBy(
                                            () -> {
                                                try (BaseBackupStream stream =
                                                        connection.startBaseBackup(REQUEST)) {
                                                    heard(stream);
                                                    stream.end();
                                                }
                                            })
                                    .isInstanceOfSatisfying(
                                            MainstayException.class,
                                            refused ->
                                                    assertThat(refused.code())
                                                            .isEqualTo(ErrorCode.SERVER_PROTOCOL)));
        }
    }

    @Test
    void aRefusalLeavesTheConnectionUsable() throws IOException {
        play(
                "15.2",
                join(error("ERROR", "42501", "must be replication role"), ready()),
                connection ->
                        assertThatThrownBy(() -> connection.startBaseBackup(REQUEST))
                                .isInstanceOfSatisfying(
                                        MainstayException.class,
                                        refused ->
                                                assertThat(refused.code())
                                                        .isEqualTo(
                                                                ErrorCode.SERVER_RIGHT_MISSING)));
    }
}
