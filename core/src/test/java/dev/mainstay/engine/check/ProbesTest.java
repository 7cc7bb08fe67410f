package dev.mainstay.engine.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.engine.config.ReceiverSettings;
import dev.mainstay.postgres.cluster.Finding;
import dev.mainstay.postgres.protocol.SslMode;
import dev.mainstay.storage.remote.S3Place;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

class ProbesTest {
    private static final long GIB = 1L << 30;
    private static final Instant NOW = Instant.parse("2026-11-21T04:00:00Z");

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'' | false",
                "mainstay_orders | true",
                "* | true",
                "FIRST 2 (a, \"Mainstay_Orders\") | true",
                "ANY 1 (a, b) | false",
                "2 (mainstay_orders, b) | true",
                "mainstay_orders2 | false"
            })
    void theReceiverIsFoundInSynchronousStandbyNames(String setting, boolean named) {
        assertThat(SynchronousProbe.names(setting, "mainstay_orders")).isEqualTo(named);
    }

    @Test
    void clocksAgreeWithinTheTimeAnAnswerTakes() {
        Instant later = NOW.plusSeconds(30);
        assertThat(ClockProbe.judge(NOW, NOW.plusSeconds(20), later).severity())
                .isEqualTo(Finding.Severity.OK);
        assertThat(ClockProbe.judge(NOW, later.plusSeconds(5), later).text())
                .contains("5 s ahead of");
        assertThat(ClockProbe.judge(NOW, NOW.minusSeconds(3600), later).text())
                .contains("3600 s behind");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "         |             |           | PREFER      | OK      | without leaving",
                "         | 127.0.0.1   | 127.0.0.1 | PREFER      | OK      | without leaving",
                "         | 10.0.0.1    | 10.0.0.1  | PREFER      | OK      | without leaving",
                "         | 10.0.0.1    | 10.0.0.2  | PREFER      | WARNING | unencrypted",
                "         | 2001:db8::1 | 10.0.0.2  | DISABLE     | WARNING | unencrypted",
                "TLSv1.3  | 10.0.0.1    | 10.0.0.2  | REQUIRE     | OK      | not proved",
                "TLSv1.3  | ::1         | ::1       | REQUIRE     | OK      | TLSv1.3",
                "TLSv1.3  | 10.0.0.1    | 10.0.0.2  | VERIFY_FULL | OK      | TLSv1.3"
            })
    void whoCanReadAlongIsTold(
            String version,
            String server,
            String client,
            SslMode mode,
            Finding.Severity severity,
            String text) {
        Finding found =
                TlsProbe.judge(
                        new TlsProbe.Way(
                                Optional.ofNullable(version),
                                Optional.ofNullable(server),
                                Optional.ofNullable(client)),
                        mode);
        assertThat(found.severity()).isEqualTo(severity);
        assertThat(found.text()).contains(text);
        assertThat(found.text().contains("not proved")).isEqualTo(text.equals("not proved"));
    }

    @ParameterizedTest
    @CsvSource({
        "http://minio.example.org:9000, 1",
        "http://10.0.0.1:9000, 1",
        "https://minio.example.org, 0",
        "http://localhost:9000, 0",
        "http://[::1]:9000, 0"
    })
    void aStoreWithoutTlsIsTold(URI endpoint, int findings) {
        S3Place amazon = S3Place.of("bucket", "");
        assertThat(TlsProbe.store(amazon)).isEmpty();
        assertThat(
                        TlsProbe.store(
                                new S3Place(
                                        "bucket",
                                        "",
                                        Optional.of("eu-central-1"),
                                        Optional.of(endpoint),
                                        true,
                                        amazon.login(),
                                        amazon.storing(),
                                        amazon.route())))
                .hasSize(findings);
    }

    @Test
    void whoArchivesIsReadFromTheSettings() {
        assertThat(archiving("off", "(disabled)").push()).isFalse();
        assertThat(archiving("off", "(disabled)").other()).isEmpty();
        assertThat(archiving("on", "").nowhere()).isTrue();
        assertThat(archiving("on", "/opt/mainstay wal push %p").push()).isTrue();
        assertThat(archiving("always", "mainstay --config x wal push --source='o' %p").pushSource())
                .contains("o");
        assertThat(archiving("on", "pgbackrest archive-push %p").other())
                .contains("pgbackrest archive-push %p");
    }

    private static Archiving archiving(String mode, String command) {
        return Archiving.of(
                new ServerView(
                        Map.of("archive_mode", mode, "archive_command", command),
                        Optional.empty(),
                        false,
                        0,
                        new ServerView.Archiver(
                                0, Optional.empty(), Optional.empty(), Optional.empty())));
    }

    @Test
    void agesReadWell() {
        assertThat(HistoryProbe.age(Duration.ofMinutes(90))).isEqualTo("90 minutes");
        assertThat(HistoryProbe.age(Duration.ofHours(30))).isEqualTo("30 hours");
        assertThat(HistoryProbe.age(Duration.ofDays(9))).isEqualTo("9 days");
    }

    @Test
    void aRepositoryNeedsRoomForAnotherFullBackup() {
        Path folder = Path.of("/r");
        assertThat(SpaceProbe.judge(folder, 50 * GIB, 100 * GIB, 10 * GIB).severity())
                .isEqualTo(Finding.Severity.OK);
        assertThat(SpaceProbe.judge(folder, 15 * GIB, 100 * GIB, 10 * GIB).severity())
                .isEqualTo(Finding.Severity.WARNING);
        assertThat(SpaceProbe.judge(folder, 4 * GIB, 100 * GIB, 0).severity())
                .isEqualTo(Finding.Severity.WARNING);
        Finding full = SpaceProbe.judge(folder, 5 * GIB, 100 * GIB, 10 * GIB);
        assertThat(full.isError()).isTrue();
        assertThat(full.text()).contains("5.00 GiB of 100.00 GiB", "takes about 10.00 GiB");
        assertThat(SpaceProbe.judge(folder, 1 << 20, 100 * GIB, 0).text()).contains("nearly full");
    }

    @Test
    void aSpoolThatCannotReachItsLimitIsNamed() {
        ReceiverSettings settings = ReceiverSettings.defaults("orders");
        assertThat(SpaceProbe.judge(settings, 20 * GIB, 0).severity())
                .isEqualTo(Finding.Severity.OK);
        assertThat(SpaceProbe.judge(settings, 6 * GIB, 5 * GIB).severity())
                .isEqualTo(Finding.Severity.OK);
        assertThat(SpaceProbe.judge(settings, 6 * GIB, 0).whatToDo())
                .contains("receiver.spool-limit to at most 5.94 GiB");
        assertThat(SpaceProbe.judge(settings, 1 << 20, 20 * GIB).isError()).isTrue();
    }

    @Test
    void aSlotIsJudgedByWhatTheServerKeepsForIt() {
        assertThat(slot("physical", "reserved", OptionalLong.empty(), 1 << 20).severity())
                .isEqualTo(Finding.Severity.OK);
        assertThat(slot("physical", "extended", OptionalLong.empty(), 2 * GIB).severity())
                .isEqualTo(Finding.Severity.WARNING);
        assertThat(slot("physical", "extended", OptionalLong.of(GIB), 2 * GIB).text())
                .contains("keeps 2.00 GiB", "after another 1.00 GiB it is lost");
        assertThat(slot("physical", "unreserved", OptionalLong.of(0), 2 * GIB).isError()).isTrue();
        assertThat(slot("physical", "lost", OptionalLong.empty(), 0).text()).contains("is lost");
        assertThat(slot("logical", "reserved", OptionalLong.empty(), 0).text())
                .contains("serves somebody else");
    }

    private static Finding slot(String type, String status, OptionalLong safe, long lag) {
        ServerView view =
                new ServerView(
                        Map.of("archive_mode", "off", "max_replication_slots", "10"),
                        Optional.of(
                                new ServerView.Slot(
                                        type,
                                        status,
                                        Optional.empty(),
                                        OptionalLong.of(lag),
                                        safe)),
                        true,
                        1,
                        new ServerView.Archiver(
                                0, Optional.empty(), Optional.empty(), Optional.empty()));
        return SlotProbe.look("orders", "mainstay_orders", view).getLast();
    }

    @Test
    void aSlotNeedsAPlaceOnTheServer() {
        ServerView view =
                new ServerView(
                        Map.of("max_replication_slots", "2"),
                        Optional.empty(),
                        false,
                        2,
                        new ServerView.Archiver(
                                0, Optional.empty(), Optional.empty(), Optional.empty()));
        assertThat(SlotProbe.look("orders", "mainstay_orders", view))
                .singleElement()
                .satisfies(each -> assertThat(each.text()).contains("all 2 slots"));
    }
}
