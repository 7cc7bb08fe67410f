package dev.mainstay.server.job;

import dev.mainstay.server.state.JsonMap;
import dev.mainstay.server.state.SqlTime;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;

/// From rows to values.
final class JobRow {
    private JobRow() {}

    static Job read(ResultSet row, int number) throws SQLException {
        return new Job(
                row.getString("id"),
                new JobRequest(
                        JobKind.parse(row.getString("kind")),
                        row.getString("target"),
                        JsonMap.read(row.getString("parameters")),
                        row.getString("requested_by")),
                JobState.parse(row.getString("state")),
                SqlTime.read(row, "created_at"),
                SqlTime.readIfThere(row, "started_at"),
                SqlTime.readIfThere(row, "ended_at"),
                Optional.ofNullable(row.getString("server")),
                row.getBoolean("cancel_requested"),
                row.getInt("attempts"),
                SqlTime.readIfThere(row, "due_at"),
                progress(row),
                failure(row),
                JsonMap.read(row.getString("result")));
    }

    static JobLine line(ResultSet row, int number) throws SQLException {
        return new JobLine(
                row.getInt("line"), SqlTime.read(row, "at"), row.getString("text"));
    }

    private static Optional<JobProgress> progress(ResultSet row) throws SQLException {
        String step = row.getString("step");
        return step == null
                ? Optional.empty()
                : Optional.of(
                        new JobProgress(
                                step,
                                row.getLong("bytes_done"),
                                row.getLong("bytes_total"),
                                SqlTime.read(row, "step_began_at"),
                                SqlTime.read(row, "seen_at")));
    }

    static Optional<JobFailure> failure(ResultSet row) throws SQLException {
        String error = row.getString("error");
        return error == null
                ? Optional.empty()
                : Optional.of(
                        new JobFailure(error, row.getString("message"), row.getString("hint")));
    }
}
