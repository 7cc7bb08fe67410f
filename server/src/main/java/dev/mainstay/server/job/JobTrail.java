package dev.mainstay.server.job;

/// Who is told what becomes of jobs, for the record; as the last of the transaction in which it
/// happens, so that both are or neither is.
@FunctionalInterface
public interface JobTrail {
    /// @param who a person, a schedule, or empty for whichever server it is
    /// @param action `job queued` or `job ended`
    void note(String who, String action, String target, String outcome);
}
