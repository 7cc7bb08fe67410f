package dev.mainstay.cli;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.engine.retention.KeptLocks;
import dev.mainstay.repository.Defect;
import dev.mainstay.repository.LockSurvey;
import dev.mainstay.repository.Repository;

/// What is said of locks.
final class LockFindings {
    private LockFindings() {}

    /// For a repository whose settings have locks.
    static KeptLocks kept(Session session, Repository repository) {
        return KeptLocks.of(session.configuration(), repository, session.clock().instant());
    }

    static String objects(long count) {
        return count + (count == 1 ? " object" : " objects");
    }

    /// @param due what to call those whose lock was due
    static Document describe(Document document, KeptLocks.Report report, String due) {
        LockSurvey.Report survey = report.survey();
        document.add("lockedNeeded", survey.needed().objects())
                .add("sizeNeeded", ByteSize.of(survey.needed().bytes()))
                .add(due, survey.due().objects())
                .add("lacking", survey.lackingCount());
        return problems(document, report);
    }

    /// What `verify` adds.
    static Document problems(Document document, KeptLocks.Report report) {
        LockSurvey.Report survey = report.survey();
        if (survey.lackingCount() > 0) {
            Table table = Table.of("object", "lockedUntil");
            survey.lacking().forEach(each -> table.row(each.object(), each.until()));
            document.add("unlocked", table);
        }
        if (survey.failedCount() > 0 || !report.unread().isEmpty()) {
            Table table = Table.of("object", "error", "what");
            survey.failed().forEach(each -> row(table, each));
            report.unread().forEach(each -> row(table, each));
            document.add("lockFailures", table).failing();
        }
        return report.isWell()
                ? document
                : document.add("lockHint", ErrorCode.LOCKS_LACKING.hint());
    }

    private static void row(Table table, Defect defect) {
        table.row(defect.object(), defect.code().id(), defect.what());
    }
}
