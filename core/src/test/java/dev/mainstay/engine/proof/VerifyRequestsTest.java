package dev.mainstay.engine.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.engine.Progress;
import dev.mainstay.repository.RepositoryCheck;
import dev.mainstay.storage.memory.MemoryStore;
import dev.mainstay.storage.wrap.MeteredStore;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.util.Optional;
import java.util.Random;

/// What a verification that reads no content costs in requests: some for what there is of backups
/// and WAL, and hardly any for packs, however many there are.
class VerifyRequestsTest {
    private static final RepositoryCheck.Options WITHOUT_CONTENT =
            new RepositoryCheck.Options(Optional.empty(), 0, 0, 2);

    private record Cost(long packs, long requests) {}

    /// Of a repository of which one relation has so many pages that hardly shrink.
    private static Cost cost(int pages) throws IOException {
        MeteredStore store = MeteredStore.of(MemoryStore.create());
        SampleRepository sample = new SampleRepository(20261122, Optional.empty());
        sample.write(store);
        byte[] relation = new byte[pages * SampleRepository.BLOCK];
        new Random(pages).nextBytes(relation);
        sample.relations.put("base/5/30000", relation);
        var repository = sample.open(store);
        sample.backUpAgain(repository.requireSource("orders"));
        MeteredStore.Counts before = store.counts();
        VerifyReport report =
                new Verification(sample.open(store), WITHOUT_CONTENT, Progress.none()).run();
        MeteredStore.Counts counts = store.counts().minus(before);
        assertThat(report.findings()).isEmpty();
        return new Cost(
                report.contents().packs(),
                counts.gets() + counts.sizes() + counts.lists() + counts.puts() + counts.deletes());
    }

    @Test
    void aHundredPacksMoreAreNotARequestMore() throws IOException {
        Cost few = cost(300);
        Cost many = cost(15_000);
        Cost most = cost(60_000);
        System.out.printf("%s, %s, %s%n", few, many, most);
        assertThat(many.packs - few.packs).isGreaterThan(300);
        assertThat(most.packs - few.packs).isGreaterThan(1500);
        assertThat(many.requests - few.requests)
                .as("%s, %s", few, many)
                .isLessThanOrEqualTo((many.packs - few.packs) / 100);
        assertThat(most.requests - few.requests)
                .as("%s, %s", few, most)
                .isLessThanOrEqualTo((most.packs - few.packs) / 100);
        assertThat(many.requests - many.packs / 100)
                .as("keys, records, manifests and maps of three backups, five segments of WAL")
                .isLessThanOrEqualTo(80);
    }
}
