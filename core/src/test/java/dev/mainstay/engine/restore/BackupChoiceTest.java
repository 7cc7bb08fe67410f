package dev.mainstay.engine.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.engine.restore.RestoreRequest.Action;
import dev.mainstay.postgres.wal.TimelineHistory;
import dev.mainstay.postgres.wal.WalTarget;
import dev.mainstay.repository.BackupOptions;
import dev.mainstay.repository.BackupWriter;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.WalArchive;
import dev.mainstay.repository.format.Json;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.memory.MemoryStore;

import org.junit.jupiter.api.Test;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/// Which backup a restore starts from, on chains and archives made up for the purpose. Backup
/// number n starts at the beginning of segment n and ends in its middle; segments have 1 MiB.
class BackupChoiceTest {
    private static final int SEGMENT = 1 << 20;
    private static final SystemId SYSTEM = SystemId.of(42);
    private static final Instant DAWN = Instant.parse("2026-11-21T04:00:00Z");

    private final ObjectStore store = MemoryStore.create();
    private final ProtectedSource source =
            Repository.create(store, Optional.empty(), new Ground(() -> DAWN, new Random(1)))
                    .sourceOrAdd("orders");
    private final WalArchive archive = source.wal(SYSTEM, 1);

    private CommittedBackup backup(int timeline, int segment) {
        Lsn start = Lsn.of((long) segment * SEGMENT + 40);
        BackupDetails details =
                new BackupDetails(
                        SYSTEM,
                        TimelineId.of(timeline),
                        start,
                        start.plus(SEGMENT / 2),
                        DAWN.plusSeconds(60L * segment),
                        DAWN.plusSeconds(60L * segment + 30),
                        new BackupDetails.Server(170002, "17.2", 202406281, 1700),
                        new BackupDetails.Layout(8192, 131072, SEGMENT, 8192, true),
                        "/data",
                        "",
                        "",
                        List.of(),
                        List.of(),
                        new BackupDetails.Judgement(List.of(), 0, List.of(), List.of()));
        try (BackupWriter writer = source.newBackup(BackupOptions.full(1))) {
            writer.blockSize(8192);
            return writer.commit(details.toJson());
        }
    }

    private void store(int timeline, int from, int to) {
        for (int number = from; number <= to; number++) {
            archive.put(segment(timeline, number), new byte[SEGMENT]);
        }
    }

    private static WalSegment segment(int timeline, int number) {
        return new WalSegment(TimelineId.of(timeline), number, SEGMENT);
    }

    private void branch(int child, int parent, Lsn at) {
        archive.putFile(
                TimelineId.of(child).historyFileName(),
                TimelineHistory.first(TimelineId.of(parent))
                        .branch(TimelineId.of(child), at, "promoted")
                        .print()
                        .getBytes(StandardCharsets.UTF_8));
    }

    private BackupChoice.Chosen choose(RestoreTarget target, TimelineChoice timeline) {
        return new BackupChoice(
                        source,
                        Optional.empty(),
                        new RestoreRequest.Recovery(
                                target, timeline, Action.PAUSE, false, false, "get"))
                .choose();
    }

    private BackupChoice.Chosen latest() {
        return choose(new RestoreTarget.Latest(), new TimelineChoice.Latest());
    }

    @Test
    void withoutABackupThereIsNoRestore() {
        assertThatThrownBy(this::latest).satisfies(code(ErrorCode.RESTORE_NO_BACKUP));
    }

    @Test
    void latestTakesTheNewestBackupAndAllThatIsStored() {
        backup(1, 3);
        CommittedBackup newest = backup(1, 6);
        store(1, 1, 8);
        archive.putPart(segment(1, 9), 0, new byte[5000]);
        BackupChoice.Chosen chosen = latest();
        assertThat(chosen.backup().id()).isEqualTo(newest.id());
        assertThat(chosen.replay().first()).isEqualTo(segment(1, 6));
        assertThat(chosen.replay().last()).isEqualTo(segment(1, 9));
        assertThat(chosen.replay().end()).isEqualTo(Lsn.of(9L * SEGMENT + 5000));
        assertThat(chosen.replay().timelineSetting()).isEqualTo("1");
        assertThat(chosen.passedOver()).isEmpty();
    }

    @Test
    void aBackupWhoseOwnWalIsMissingIsPassedOverAloud() {
        CommittedBackup older = backup(1, 3);
        CommittedBackup newest = backup(1, 6);
        store(1, 3, 5);
        BackupChoice.Chosen chosen = latest();
        assertThat(chosen.backup().id()).isEqualTo(older.id());
        assertThat(chosen.passedOver())
                .singleElement()
                .asString()
                .contains(newest.id().text(), "WAL is missing from 000000010000000000000006");
    }

    @Test
    void aBackupWhoseRecordIsDamagedIsPassedOverAloud() {
        CommittedBackup older = backup(1, 3);
        CommittedBackup newest = backup(1, 4);
        store(1, 3, 5);
        String slot = "slots/" + source.id() + "/" + newest.id();
        store.delete(slot);
        store.put(slot, java.nio.ByteBuffer.wrap(new byte[300]));
        BackupChoice.Chosen chosen = latest();
        assertThat(chosen.backup().id()).isEqualTo(older.id());
        assertThat(chosen.passedOver())
                .singleElement()
                .asString()
                .contains(slot, newest.id().text(), "MS-0203");
        String other = "slots/" + source.id() + "/" + older.id();
        store.delete(other);
        store.put(other, java.nio.ByteBuffer.wrap(new byte[3]));
        assertThatThrownBy(this::latest)
                .satisfies(code(ErrorCode.RESTORE_NO_BACKUP))
                .hasMessageContaining("MS-0203")
                .hasMessageContaining("MS-0206");
    }

    @Test
    void aGapEndsWhatCanBeReached() {
        backup(1, 3);
        store(1, 3, 5);
        store(1, 7, 9);
        assertThat(latest().replay().end()).isEqualTo(segment(1, 6).start());
    }

    private void free(int from, int to) {
        Json stretch =
                Json.object()
                        .put("source", source.id().hex())
                        .put("system", SYSTEM.toString())
                        .put("segmentSize", SEGMENT)
                        .put("first", segment(1, from).fileName())
                        .put("last", segment(1, to).fileName());
        source.records().append("wal-expiry", Json.object().put("freed", List.of(stretch)));
    }

    @Test
    void whatRetentionFreedIsNotTakenForTheEndOfTheLog() {
        CommittedBackup old = backup(1, 3);
        CommittedBackup newest = backup(1, 7);
        store(1, 3, 4);
        store(1, 7, 9);
        free(5, 6);
        assertThat(latest().backup().id()).isEqualTo(newest.id());
        assertThatThrownBy(() -> choose(old, new RestoreTarget.Latest()))
                .satisfies(code(ErrorCode.RESTORE_TARGET_UNREACHABLE))
                .hasMessageContaining("leads to 0/500000 only, since WAL from there on was freed");
        assertThat(choose(old, new RestoreTarget.Immediate()).backup().id()).isEqualTo(old.id());
        RestoreTarget between =
                new RestoreTarget.At(new WalTarget.AtLsn(Lsn.of(6L * SEGMENT + 5000), true));
        assertThatThrownBy(() -> choose(between, new TimelineChoice.Latest()))
                .satisfies(code(ErrorCode.RESTORE_TARGET_UNREACHABLE))
                .hasMessageContaining("WAL from there on was freed by retention");
    }

    private BackupChoice.Chosen choose(CommittedBackup backup, RestoreTarget target) {
        return new BackupChoice(
                        source,
                        Optional.of(backup.id()),
                        new RestoreRequest.Recovery(
                                target,
                                new TimelineChoice.Latest(),
                                Action.PAUSE,
                                false,
                                false,
                                "get"))
                .choose();
    }

    @Test
    void aBackupOnAnAbandonedBranchDoesNotLeadToTheLatestTimeline() {
        CommittedBackup before = backup(1, 3);
        CommittedBackup abandoned = backup(1, 7);
        store(1, 3, 9);
        branch(2, 1, Lsn.of(5L * SEGMENT + 4096));
        store(2, 5, 6);
        BackupChoice.Chosen chosen = latest();
        assertThat(chosen.backup().id()).isEqualTo(before.id());
        assertThat(chosen.replay().timelineSetting()).isEqualTo("2");
        assertThat(chosen.replay().last()).isEqualTo(segment(2, 6));
        assertThat(chosen.passedOver()).singleElement().asString().contains(abandoned.id().text());
        assertThat(choose(new RestoreTarget.Latest(), new TimelineChoice.Current()).backup().id())
                .isEqualTo(abandoned.id());
    }

    @Test
    void aTimelineOfWhichNothingIsStoredYetIsNotTheLatest() {
        backup(1, 3);
        store(1, 3, 5);
        branch(2, 1, Lsn.of(5L * SEGMENT + 4096));
        assertThat(latest().replay().timelineSetting()).isEqualTo("1");
        assertThatThrownBy(
                        () ->
                                choose(
                                        new RestoreTarget.Latest(),
                                        new TimelineChoice.Named(TimelineId.of(2))))
                .satisfies(code(ErrorCode.RESTORE_TARGET_UNREACHABLE))
                .hasMessageContaining("nothing is stored of timeline 2");
    }

    @Test
    void aTargetBeforeEveryBackupOrBehindTheLogIsToldWithTheWindow() {
        backup(1, 3);
        store(1, 3, 5);
        for (WalTarget point :
                List.of(
                        new WalTarget.AtTime(DAWN, true),
                        new WalTarget.AtTime(DAWN.plusSeconds(86400), true),
                        new WalTarget.AtLsn(Lsn.of(SEGMENT), true),
                        new WalTarget.AtLsn(Lsn.of(99L * SEGMENT), true),
                        new WalTarget.AtName("nowhere"))) {
            assertThatThrownBy(
                            () -> choose(new RestoreTarget.At(point), new TimelineChoice.Latest()))
                    .satisfies(code(ErrorCode.RESTORE_TARGET_UNREACHABLE))
                    .hasMessageContaining("the earliest is 0/380028");
        }
    }

    private static org.assertj.core.api.ThrowingConsumer<Throwable> code(ErrorCode code) {
        return failed ->
                assertThat(failed)
                        .isInstanceOfSatisfying(
                                MainstayException.class,
                                known -> assertThat(known.code()).isEqualTo(code));
    }
}
