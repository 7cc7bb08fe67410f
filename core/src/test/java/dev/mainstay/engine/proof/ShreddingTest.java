package dev.mainstay.engine.proof;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.SourceId;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.Defect;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Prune;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.RepositoryCheck;
import dev.mainstay.repository.RepositoryCopy;
import dev.mainstay.repository.ShreddedSource;
import dev.mainstay.repository.UnneededWal;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.repository.format.Json;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.StoredObject;
import dev.mainstay.storage.memory.MemoryStore;
import dev.mainstay.storage.wrap.Throttle;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/// A source whose keys were destroyed: gone on purpose, everywhere said so, and nobody else hurt.
class ShreddingTest {
    private static final Credential FILE = new Credential.KeyFile(new byte[32]);

    private final ObjectStore store = MemoryStore.create();
    private final SampleRepository sample = new SampleRepository(11, Optional.of(FILE));
    private final Random ids = new Random(5);
    private Instant now = Instant.parse("2026-11-22T00:00:00Z");

    @BeforeEach
    void write() throws IOException {
        sample.write(store);
        ProtectedSource orders = open(store).source("orders").orElseThrow();
        orders.release(orders.backups().getFirst().id());
        sample.backUpAgain(open(store).sourceOrAdd("billing"));
    }

    private Repository open(ObjectStore on) {
        return Repository.open(on, Optional.of(FILE), new Ground(() -> now, ids));
    }

    /// Without following the WAL: both sources are of one cluster here, so it was stored once.
    private static List<Defect> findings(Repository repository) {
        return new RepositoryCheck(repository, RepositoryCheck.Options.everything(), _ -> {})
                .run()
                .defects();
    }

    private static void refused(Runnable action, ErrorCode code) {
        assertThatThrownBy(action::run).extracting("code").isEqualTo(code);
    }

    private static List<String> names(ObjectStore on, String prefix) {
        return on.list(prefix, "", 10_000).objects().stream().map(StoredObject::name).toList();
    }

    private void otherSourceIsWhole(ObjectStore on) {
        ProtectedSource billing = open(on).source("billing").orElseThrow();
        CommittedBackup backup = billing.backups().getFirst();
        assertThat(SampleRepository.restore(billing, backup))
                .containsExactlyInAnyOrderEntriesOf(sample.content(backup.id()));
    }

    @Test
    void theSourceIsGoneOnPurposeAndTheOtherOneIsWhole() {
        SourceId id = open(store).source("orders").orElseThrow().id();
        ShreddedSource gone = open(store).keys().shred("orders", "contract ended").source();
        assertThat(gone.id()).isEqualTo(id);
        assertThat(names(store, "keys/source/" + id)).isEmpty();
        Repository repository = open(store);
        refused(() -> repository.source("orders"), ErrorCode.SOURCE_SHREDDED);
        refused(() -> repository.sourceOrAdd("orders"), ErrorCode.SOURCE_SHREDDED);
        assertThat(repository.sources())
                .extracting(ProtectedSource::name)
                .containsExactly("billing");
        assertThat(repository.shredded())
                .singleElement()
                .satisfies(
                        each -> {
                            assertThat(each.name()).isEqualTo("orders");
                            assertThat(each.reason()).isEqualTo("contract ended");
                            assertThat(each.when()).isEqualTo(now);
                        });
        RepositoryCheck.Result checked =
                new RepositoryCheck(repository, RepositoryCheck.Options.everything(), _ -> {})
                        .run();
        assertThat(checked.defects()).isEmpty();
        assertThat(checked.shredded()).hasSize(1);
        assertThat(findings(repository)).isEmpty();
        otherSourceIsWhole(store);
        assertThat(
                        repository.source("billing").orElseThrow().records().records().stream()
                                .filter(record -> record.type().equals("key-change"))
                                .toList())
                .hasSize(1);
    }

    @Test
    void itsSpaceIsFreedAndNothingElse() {
        open(store).keys().shred("orders", "contract ended");
        int before = names(store, "packs/").size();
        Prune.Report report =
                new Prune(open(store), Duration.ofDays(7), false, UnneededWal.NONE, _ -> {}).run();
        assertThat(report.removed().count()).isPositive();
        assertThat(names(store, "packs/")).hasSize((int) (before - report.removed().count()));
        otherSourceIsWhole(store);
        assertThat(findings(open(store))).isEmpty();
        new Prune(open(store), Duration.ofDays(7), false, UnneededWal.NONE, _ -> {}).run();
        otherSourceIsWhole(store);
    }

    @Test
    void aHeldBackupIsNotShredded() {
        ProtectedSource orders = open(store).source("orders").orElseThrow();
        orders.hold(orders.backups().getLast().id(), "audit");
        refused(() -> open(store).keys().shred("orders", "x"), ErrorCode.SHRED_HELD);
        assertThat(open(store).source("orders")).isPresent();
        refused(() -> open(store).keys().shred("nobody", "x"), ErrorCode.SOURCE_UNKNOWN);
    }

    @Test
    void aStoreThatKeepsTheKeyIsToldAndRunningItAgainFinishes() {
        SourceId id = open(store).source("orders").orElseThrow().id();
        HookedStore stubborn = new HookedStore(store);
        stubborn.refuse("keys/source/" + id);
        refused(() -> open(stubborn).keys().shred("orders", "x"), ErrorCode.KEY_SHRED_UNFINISHED);
        refused(() -> open(store).source("orders"), ErrorCode.SOURCE_SHREDDED);
        assertThat(findings(open(store)))
                .extracting(Defect::code)
                .containsExactly(ErrorCode.KEY_SHRED_UNFINISHED);
        open(store).keys().shred("orders", "again");
        assertThat(findings(open(store))).isEmpty();
        assertThat(open(store).shredded().getFirst().reason()).isEqualTo("x");
    }

    @Test
    void whoIsOpenLongStoresNothingMore() {
        ProtectedSource resident = open(store).source("orders").orElseThrow();
        open(store).keys().shred("orders", "contract ended");
        now = now.plus(Duration.ofMinutes(6));
        refused(() -> resident.records().append("note", Json.object()), ErrorCode.SOURCE_SHREDDED);
    }

    @Test
    void aCopyKeepsItUntilItIsShreddedThereToo() {
        ObjectStore copy = MemoryStore.create();
        copyTo(copy);
        open(store).keys().shred("orders", "contract ended");
        RepositoryCopy.Result result = copyTo(copy);
        assertThat(result.stillReadable()).singleElement().asString().contains("orders");
        ProtectedSource there = open(copy).source("orders").orElseThrow();
        CommittedBackup backup = there.backups().getFirst();
        assertThat(SampleRepository.restore(there, backup))
                .containsExactlyInAnyOrderEntriesOf(sample.content(backup.id()));
        open(copy).keys().shred("orders", "contract ended");
        refused(() -> open(copy).source("orders"), ErrorCode.SOURCE_SHREDDED);
        assertThat(copyTo(copy).stillReadable()).isEmpty();
    }

    @Test
    void whatIsShreddedInTheCopyAloneStaysSo() {
        ObjectStore copy = MemoryStore.create();
        copyTo(copy);
        open(copy).keys().shred("orders", "not there");
        copyTo(copy);
        refused(() -> open(copy).source("orders"), ErrorCode.SOURCE_SHREDDED);
        assertThat(findings(open(copy))).isEmpty();
        assertThat(open(store).source("orders")).isPresent();
    }

    private RepositoryCopy.Result copyTo(ObjectStore copy) {
        return new RepositoryCopy(open(store), copy, Throttle.of(Optional.empty()), 2, _ -> {})
                .run();
    }
}
