package dev.mainstay.server.job;

import dev.mainstay.base.MainstayException;

/// Why a job did not end well.
///
/// @param error the number: `MS-0604`
public record JobFailure(String error, String message, String hint) {
    public static JobFailure of(MainstayException failed) {
        return new JobFailure(
                failed.code().id(), String.valueOf(failed.getMessage()), failed.hint());
    }
}
