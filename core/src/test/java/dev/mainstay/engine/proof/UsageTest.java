package dev.mainstay.engine.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.engine.retention.RepositoryUsage;
import dev.mainstay.repository.Amount;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Prune;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.UnneededWal;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.memory.MemoryStore;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/// What `usage` says of space is what is there, and what it says would be freed is.
class UsageTest {
    private static final Instant NOW = Instant.parse("2026-11-22T00:00:00Z");

    private final ObjectStore store = MemoryStore.create();

    private SampleRepository sample(long seed) throws IOException {
        SampleRepository sample = new SampleRepository(seed, Optional.empty());
        sample.write(store);
        ProtectedSource source = sample.open(store).source("orders").orElseThrow();
        CommittedBackup own = sample.backUpAgain(source);
        sample.backUpUpon(source, own);
        return sample;
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void whatABackupAloneNeedsIsWhatPruneFreesOnceItIsGone(long seed) throws IOException {
        SampleRepository sample = sample(seed);
        RepositoryUsage usage = RepositoryUsage.read(sample.open(store), NOW);
        assertThat(usage.backups()).hasSizeGreaterThan(3);
        assertThat(usage.backups()).anyMatch(backup -> backup.alone().bytes() > 0);
        for (RepositoryUsage.OfBackup backup : usage.backups()) {
            ObjectStore without = HookedStore.copy(store);
            Repository repository = sample.open(without);
            ProtectedSource source = repository.source("orders").orElseThrow();
            source.records().holds().keySet().forEach(source::release);
            source.expire(source.records(), Map.of(backup.id(), "a test"), "a test");
            Prune.Report freed =
                    new Prune(repository, Duration.ofDays(7), false, UnneededWal.NONE, _ -> {})
                            .run();
            assertThat(new Amount(freed.removed().count(), freed.removed().size().bytes()))
                    .as("seed %d, %s", seed, backup)
                    .isEqualTo(usage.unneeded().plus(backup.alone()));
        }
    }

    @ParameterizedTest
    @ValueSource(longs = 7)
    void everyByteIsCountedOnce(long seed) throws IOException {
        RepositoryUsage usage = RepositoryUsage.read(sample(seed).open(store), NOW);
        Amount listed =
                store.list("", "", 100_000).objects().stream()
                        .map(object -> new Amount(1, object.sizeBytes()))
                        .reduce(Amount.NONE, Amount::plus);
        assertThat(usage.total()).isEqualTo(listed);
        assertThat(usage.kinds().values().stream().reduce(Amount.NONE, Amount::plus))
                .isEqualTo(listed);
        RepositoryUsage.OfSource source = usage.sources().getFirst();
        assertThat(source.backups()).isEqualTo(usage.backups().size());
        assertThat(source.packs().plus(usage.unneeded())).isEqualTo(of(usage, "packs/"));
        assertThat(source.wal())
                .isEqualTo(of(usage, "wal").plus(of(usage, "parts")).plus(of(usage, "summaries")));
        assertThat(source.logicalBytes())
                .isEqualTo(
                        usage.backups().stream()
                                .mapToLong(RepositoryUsage.OfBackup::logicalBytes)
                                .sum());
    }

    private static Amount of(RepositoryUsage usage, String kinds) {
        return usage.kinds().entrySet().stream()
                .filter(kind -> kind.getKey().startsWith(kinds))
                .map(Map.Entry::getValue)
                .reduce(Amount.NONE, Amount::plus);
    }

    @ParameterizedTest
    @ValueSource(longs = 8)
    void growthNeedsADayAtLeastAndTellsWhenAQuotaIsFull(long seed) throws IOException {
        RepositoryUsage young = RepositoryUsage.read(sample(seed).open(store), NOW);
        assertThat(young.weeklyBytes()).as("all of it within minutes").isEmpty();
        assertThat(young.untilFull(1L << 40)).isEmpty();
        RepositoryUsage grows =
                new RepositoryUsage(
                        young.total(),
                        young.kinds(),
                        young.sources(),
                        young.backups(),
                        young.unneeded(),
                        Optional.of(7000L));
        long total = young.total().bytes();
        assertThat(grows.untilFull(total + 2000)).hasValue(Duration.ofDays(2));
        assertThat(grows.untilFull(total - 1)).hasValue(Duration.ZERO);
    }
}
