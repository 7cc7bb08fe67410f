package dev.mainstay.engine.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.backup.ChangeJudge.Verdict;
import dev.mainstay.repository.format.Json;

import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/// Pages by hand; `PageMaskOnServersTest` has real ones.
class ChangeJudgeTest {
    private static final int BLOCK = 8192;
    private static final Lsn START = Lsn.parse("0/500");

    private final ChangeJudge judge = new ChangeJudge(BLOCK, START);

    /// A heap page with one item of 40 bytes whose last is `content`.
    private static byte[] page(String lsn, int hints, int content) {
        ByteBuffer page = ByteBuffer.allocate(BLOCK).order(ByteOrder.LITTLE_ENDIAN);
        page.putInt(4, (int) Lsn.parse(lsn).value());
        page.putShort(12, (short) 28).putShort(14, (short) (BLOCK - 40));
        page.putShort(16, (short) BLOCK).putShort(18, (short) (BLOCK | 4));
        page.putInt(24, BLOCK - 40 | 1 << 15 | 40 << 17);
        page.putShort(BLOCK - 40 + 20, (short) hints);
        page.put(BLOCK - 1, (byte) content);
        return page.array();
    }

    private Verdict judge(byte[] earlier, byte[] now, boolean named) {
        return judge.judge(now, 0, 7, named, () -> Optional.of(earlier));
    }

    @Test
    void a_page_that_is_not_named_may_differ_in_hints_alone() {
        byte[] earlier = page("0/100", 0, 1);
        assertThat(judge(earlier, page("0/100", 0, 1), false)).isEqualTo(Verdict.UNCHANGED);
        assertThat(judge(earlier, page("0/100", 0x0900, 1), false)).isEqualTo(Verdict.MASKED);
        assertThat(judge(earlier, page("0/100", 0, 2), false)).isEqualTo(Verdict.MISSED);
        assertThat(judge(earlier, page("0/500", 0, 2), false)).isEqualTo(Verdict.MISSED);
    }

    @Test
    void what_changed_after_the_start_is_left_to_replay() {
        byte[] earlier = page("0/100", 0, 1);
        assertThat(judge(earlier, page("0/501", 0, 2), false)).isEqualTo(Verdict.LATER);
        assertThat(judge(earlier, page("0/501", 0x0900, 1), false)).isEqualTo(Verdict.MASKED);
    }

    @Test
    void a_named_page_is_not_looked_up() {
        Verdict verdict =
                judge.judge(
                        page("0/400", 0, 2),
                        0,
                        7,
                        true,
                        () -> {
                            throw new AssertionError("the earlier page was asked for");
                        });
        assertThat(verdict).isEqualTo(Verdict.NAMED);
    }

    @Test
    void a_page_that_was_not_there_has_to_be_zero_or_named() {
        assertThat(judge.judge(new byte[BLOCK], 0, 7, false, Optional::empty))
                .isEqualTo(Verdict.UNCHANGED);
        assertThat(judge.judge(page("0/100", 0, 1), 0, 7, false, Optional::empty))
                .isEqualTo(Verdict.MISSED);
    }

    @Test
    void the_report_counts_all_and_names_the_first() {
        ChangeFindings findings = new ChangeFindings();
        findings.count(Verdict.UNCHANGED);
        findings.count(Verdict.MASKED);
        findings.report().requireNoneMissed("1");
        findings.missed("base/5/1259", 3, Lsn.parse("0/100"), Lsn.parse("0/200"));
        assertThatThrownBy(() -> findings.report().requireNoneMissed("20260101-1"))
                .hasMessageContaining(
                        "1 page has changed since backup 20260101-1 although the WAL names none"
                                + " of them: base/5/1259 block 3 (its position in the log was"
                                + " 0/100 and is 0/200)");
        for (int block = 0; block < 30; block++) {
            findings.missed("base/5/1260", block, Lsn.NONE, Lsn.NONE);
        }
        ChangeReport report = findings.report();
        assertThat(report.missed()).isEqualTo(31);
        assertThat(report.first()).hasSize(20);
        assertThatThrownBy(() -> report.requireNoneMissed("x"))
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        e -> assertThat(e.code()).isEqualTo(ErrorCode.BACKUP_CHANGES_MISSED))
                .hasMessageContaining(", and 11 more");
        Json json = Json.parse("report", report.toJson().toBytes());
        assertThat(ChangeReport.read(json)).isEqualTo(report);
    }
}
