package dev.mainstay.engine.backup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.Lsn;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.format.Json;

import org.junit.jupiter.api.Test;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// How long ago everything was read is counted on what is left of the chain.
class KnownChangesTest {
    private static final CommittedBackup FULL = backup("full", Optional.empty());
    private static final CommittedBackup BY_LOG =
            backup("incremental", Optional.of(new Changes.FromWal(Lsn.of(40), Lsn.of(80))));
    private static final CommittedBackup READ_ALL =
            backup("incremental", Optional.of(new Changes.Unknown("a gap")));

    private static CommittedBackup backup(String type, Optional<Changes> changes) {
        Instant time = Instant.parse("2026-11-21T04:15:00Z");
        Json details = Json.object();
        changes.ifPresent(each -> details.put("changes", each.toJson()));
        return new CommittedBackup(
                BackupId.of(time, new byte[4]),
                1,
                type,
                time,
                time,
                details,
                Json.object(),
                List.of(),
                List.of());
    }

    @Test
    void countsBackToWhatReadEverything() {
        assertThat(KnownChanges.sinceFullRead(List.of(FULL))).isZero();
        assertThat(KnownChanges.sinceFullRead(List.of(FULL, BY_LOG, BY_LOG))).isEqualTo(2);
        assertThat(KnownChanges.sinceFullRead(List.of(BY_LOG, READ_ALL, BY_LOG))).isEqualTo(1);
        assertThat(KnownChanges.sinceFullRead(List.of(BY_LOG, READ_ALL))).isZero();
    }

    @Test
    void whereThatOneWasRemovedItIsAsIfItWereLongAgo() {
        assertThat(KnownChanges.sinceFullRead(List.of(BY_LOG))).isEqualTo(Integer.MAX_VALUE);
        assertThat(KnownChanges.sinceFullRead(List.of(BY_LOG, BY_LOG)))
                .isEqualTo(Integer.MAX_VALUE);
    }
}
