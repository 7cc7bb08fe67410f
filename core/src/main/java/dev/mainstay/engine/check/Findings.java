package dev.mainstay.engine.check;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.postgres.cluster.Finding;
import dev.mainstay.postgres.protocol.SqlSession;

import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/// Collects what independent looks find: one that fails is a finding itself and keeps no other from
/// being reported.
final class Findings {
    /// One thing to look at.
    @FunctionalInterface
    interface Look {
        List<Finding> find() throws SQLException, IOException;
    }

    private final List<Finding> all = new ArrayList<>();

    List<Finding> all() {
        return List.copyOf(all);
    }

    void add(Finding finding) {
        all.add(finding);
    }

    /// Looks, and if nothing is found, says that it is right.
    ///
    /// @param id of the finding where looking fails, or all is well
    /// @param fine what to say where all is well
    void look(String id, String fine, Look look) {
        List<Finding> found = run(id, look);
        all.addAll(found.isEmpty() ? List.of(Finding.ok(id, fine)) : found);
    }

    /// Looks at something that tells itself what is well.
    void look(String id, Look look) {
        all.addAll(run(id, look));
    }

    private static List<Finding> run(String id, Look look) {
        try {
            return look.find();
        } catch (MainstayException failed) {
            if (failed.code() == ErrorCode.INTERRUPTED) {
                throw failed;
            }
            return List.of(failure(id, failed));
        } catch (SQLException failed) {
            return List.of(failure(id, SqlSession.failure("looking at the " + id, failed)));
        } catch (IOException failed) {
            return List.of(
                    Finding.error(
                            id,
                            "this could not be looked at: " + failed,
                            "check the permissions of the user who runs this"));
        }
    }

    static Finding failure(String id, MainstayException failed) {
        return Finding.error(id, failed.code().id() + ": " + failed.getMessage(), failed.hint());
    }
}
