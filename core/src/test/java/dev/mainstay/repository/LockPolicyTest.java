package dev.mainstay.repository;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.storage.LockMode;
import dev.mainstay.storage.LockRule;
import dev.mainstay.storage.RetentionLock;
import dev.mainstay.storage.remote.PlaceLock;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.time.Instant;
import java.time.InstantSource;

class LockPolicyTest {
    private static final String SOURCE = "0123456789abcdef0123456789abcdef";
    private static final String SHA =
            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    private static final String BACKUP = "20261121T041500Z-3f9a1c07";

    private final Instant now = Instant.parse("2026-11-22T05:00:00Z");
    private final PlaceLock lock = new PlaceLock(LockMode.COMPLIANCE, 30, 7);
    private final LockRule rule = LockPolicy.rule(lock, InstantSource.fixed(now));

    private static String name(String pattern) {
        return pattern.replace("SOURCE", SOURCE).replace("SHA", SHA).replace("BACKUP", BACKUP);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "format",
                "keys/root/00000001/0123456789abcdef",
                "packs/base/01/SHA",
                "packs/metadata/01/SHA",
                "slots/SOURCE/BACKUP",
                "records/SOURCE/0000000000000001-0badf00d",
                "index/SOURCE/BACKUP",
                "moved/SHA/1",
                "audit/SOURCE/0000000000000001",
                "wal/7500000000000000000/00000001/000000010000000000000001",
                "wal/7500000000000000000/00000002/00000002.history",
                "summaries/7500000000000000000/00000001/000000010000000000000001"
            })
    void whatBackupsAreMadeOfIsLocked(String pattern) {
        assertThat(rule.of(name(pattern)).map(RetentionLock::until)).contains(lock.at(now).until());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "keys/source/SOURCE/00000001",
                "parts/7500000000000000000/00000001/000000010000000000000001/00000000-00000010",
                "intents/SOURCE/BACKUP",
                "progress/SOURCE/BACKUP/00000000",
                "gc/0123456789abcdef",
                "gc/0123456789abcdef-sweep",
                "probe/0123456789abcdef",
                "packs/other/01/SHA",
                "anything"
            })
    void whatHasToGoIsNever(String pattern) {
        assertThat(rule.of(name(pattern))).isEmpty();
    }
}
