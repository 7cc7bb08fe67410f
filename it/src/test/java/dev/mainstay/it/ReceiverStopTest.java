package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.Lsn;
import dev.mainstay.it.Program.Child;
import dev.mainstay.testkit.Versions;

import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// `wal receive` that is told to stop while much waits in its spool.
class ReceiverStopTest {
    private static final int TERMINATED = 128 + 15;
    private static final Pattern SPOOLED = Pattern.compile("spooled ([0-9A-F]+/[0-9A-F]+) \\(");

    @TempDir private Path folder;

    static List<Integer> versions() {
        return Versions.selectedElse(15);
    }

    @ParameterizedTest
    @MethodSource("versions")
    void aSignalEndsItInGoodOrderAndASecondOneAtOnceAndTheNextOneStoresWhatWaits(int major)
            throws Exception {
        try (KillSite site = new KillSite(major, folder)) {
            try (Child receiver = site.program.start("wal", "receive", "orders")) {
                KillSite.awaitStored(receiver, site.flushed());
                site.program.run("backup", "orders");
                takeAwayUnderLoad(site, receiver);
                receiver.stop();
                assertThat(receiver.output())
                        .contains("WARNING: ", " of WAL, up to ", "not stored in the repository: ")
                        .contains("HINT: keep the spool")
                        .contains("stopped receiving WAL of orders");
                giveBack(site);
            }
            try (Child receiver = site.program.start("wal", "receive", "orders")) {
                KillSite.awaitStored(receiver, site.flushed());
                takeAwayUnderLoad(site, receiver);
                receiver.signal();
                receiver.await("it to clean up", () -> receiver.output().contains("stopping; "));
                long second = System.nanoTime();
                receiver.signal();
                assertThat(receiver.awaitEnd()).as("%s", receiver).isEqualTo(TERMINATED);
                assertThat(Duration.ofNanos(System.nanoTime() - second))
                        .isLessThan(Duration.ofSeconds(5));
                giveBack(site);
            }
            try (Child receiver = site.program.start("wal", "receive", "orders")) {
                KillSite.awaitStored(receiver, site.flushed());
                receiver.stop();
                assertThat(receiver.output()).doesNotContain("WARNING", "ALARM");
            }
            site.verify();
        }
    }

    /// Until all that the server has is in the spool.
    private static void takeAwayUnderLoad(KillSite site, Child receiver) throws IOException {
        Files.move(site.repository, away(site));
        ReceiverSite.load(site.cluster, 20);
        Lsn end = site.flushed();
        receiver.await(
                "everything being spooled",
                () -> {
                    Matcher lines = SPOOLED.matcher(receiver.output());
                    Lsn last = Lsn.NONE;
                    while (lines.find()) {
                        last = Lsn.parse(lines.group(1));
                    }
                    return !last.isBefore(end);
                });
    }

    private static Path away(KillSite site) {
        return site.repository.resolveSibling("away");
    }

    private static void giveBack(KillSite site) throws IOException {
        Files.move(away(site), site.repository);
    }
}
