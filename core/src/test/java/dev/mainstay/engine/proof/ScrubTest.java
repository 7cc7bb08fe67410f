package dev.mainstay.engine.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.engine.Progress;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.RepositoryCheck;
import dev.mainstay.repository.ScrubPosition;
import dev.mainstay.repository.ScrubShare;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.StoredObject;
import dev.mainstay.storage.memory.MemoryStore;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;

/// Share by share all content is read in the time that is asked for, whatever clocks do.
class ScrubTest {
    private static final Optional<Credential> KEY =
            Optional.of(new Credential.KeyFile(new byte[32]));
    private static final Duration MONTH = Duration.ofDays(30);

    private final ObjectStore store = MemoryStore.create();
    private Instant now = Instant.parse("2026-11-22T04:00:00Z");

    @BeforeEach
    void write() throws IOException {
        new SampleRepository(1, KEY).write(store);
    }

    private Repository open() {
        return Repository.open(store, KEY, new Ground(() -> now, new Random(5)));
    }

    private record Done(Set<String> read, VerifyReport report, ScrubShare share) {}

    private Done scrub(Duration every, Optional<Long> budget) {
        try (Repository repository = open()) {
            ScrubShare share =
                    ScrubShare.of(repository, ScrubPosition.last(repository), every, budget);
            Set<String> read = new TreeSet<>();
            VerifyReport report =
                    new Verification(
                                    repository,
                                    RepositoryCheck.Options.everything()
                                            .reading(
                                                    object -> {
                                                        boolean taken = share.takes(object);
                                                        if (taken) {
                                                            read.add(object.name());
                                                        }
                                                        return taken;
                                                    }),
                                    Progress.none())
                            .run();
            share.end().put(repository);
            return new Done(read, report, share);
        }
    }

    private Set<String> content() {
        Set<String> names = new TreeSet<>();
        for (StoredObject each : store.list("", "", 10_000).objects()) {
            boolean pack =
                    each.name().startsWith("packs/") && !each.name().startsWith("packs/metadata/");
            if (pack || each.name().startsWith("wal/")) {
                names.add(each.name());
            }
        }
        return names;
    }

    private long largest() {
        return content().stream().mapToLong(name -> store.size(name).orElseThrow()).max().orElse(0);
    }

    private void days(double days) {
        now = now.plusSeconds((long) (days * 86_400));
    }

    @Test
    void allIsReadOnceInAMonthAndTheNextRoundBegins() {
        Set<String> seen = new TreeSet<>();
        Instant begun = now;
        for (int day = 0; day < 31; day++) {
            Done done = scrub(MONTH, Optional.empty());
            long share = done.share.allBytes() / 30 + 1;
            assertThat(done.share.bytes()).as("day %d", day).isBetween(1L, share + largest());
            assertThat(done.report.findings()).isEmpty();
            assertThat(done.report.contents().unknownCount()).isZero();
            seen.addAll(done.read);
            days(1);
        }
        assertThat(seen).isEqualTo(content());
        try (Repository repository = open()) {
            assertThat(ScrubPosition.last(repository).before())
                    .hasValueSatisfying(since -> assertThat(since).isAfterOrEqualTo(begun));
        }
        assertThat(store.list("scrub/", "", 100).objects()).hasSize(1);
    }

    @Test
    void damageIsFoundInARoundWhereverItIs() {
        for (String name : content()) {
            ObjectStore whole = HookedStore.copy(store);
            byte[] bytes = store.get(name, 0, store.size(name).orElseThrow().intValue());
            bytes[bytes.length / 2] ^= 1;
            store.replace(name, ByteBuffer.wrap(bytes));
            boolean found = false;
            for (int day = 0; day < 12 && !found; day++) {
                found =
                        scrub(Duration.ofDays(10), Optional.empty()).report.findings().stream()
                                .anyMatch(each -> each.object().equals(name));
                days(1);
            }
            assertThat(found).as(name).isTrue();
            bytes[bytes.length / 2] ^= 1;
            store.replace(name, ByteBuffer.wrap(bytes));
            assertThat(whole.size(name)).isEqualTo(store.size(name));
        }
    }

    @Test
    void aBudgetIsKeptAndWhatItLacksIsSaid() {
        Set<String> seen = new TreeSet<>();
        for (int run = 0; run < 200 && !seen.equals(content()); run++) {
            Done done = scrub(Duration.ofDays(1), Optional.of(1000L));
            assertThat(done.share.bytes()).isBetween(1L, 1000L + largest());
            assertThat(done.share.lackingBytes()).isPositive();
            seen.addAll(done.read);
            days(1);
        }
        assertThat(seen).isEqualTo(content());
    }

    @Test
    void missedDaysAreMadeUpForAndClocksThatGoBackDoNoHarm() {
        long daily = scrub(MONTH, Optional.empty()).share.bytes();
        days(15);
        assertThat(scrub(MONTH, Optional.empty()).share.bytes()).isGreaterThan(3 * daily);
        days(-400);
        Done back = scrub(MONTH, Optional.empty());
        assertThat(back.share.bytes()).isPositive().isLessThan(back.share.allBytes() / 2);
        days(4000);
        Done late = scrub(MONTH, Optional.empty());
        assertThat(late.read).as("never more than all").isEqualTo(content());
        assertThat(late.share.bytes()).isEqualTo(late.share.allBytes());
    }

    @Test
    void aDamagedPositionOrTwoScrubsAtOnceCostNothingButWork() {
        scrub(MONTH, Optional.empty());
        List<StoredObject> positions = new ArrayList<>(store.list("scrub/", "", 9).objects());
        store.replace(positions.getFirst().name(), ByteBuffer.wrap(new byte[100]));
        days(1);
        Done done = scrub(MONTH, Optional.empty());
        assertThat(done.share.bytes()).isPositive();
        assertThat(done.report.findings().stream().map(VerifyReport.Finding::object))
                .containsExactly(positions.getFirst().name());
        assertThat(scrub(MONTH, Optional.empty()).report.findings()).isEmpty();
    }
}
