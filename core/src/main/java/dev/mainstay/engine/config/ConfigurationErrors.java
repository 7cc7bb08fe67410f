package dev.mainstay.engine.config;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.util.List;

/// Everything that is wrong with a file, told at once.
public final class ConfigurationErrors {
    private ConfigurationErrors() {}

    /// @param errors at least one, in the order to be told
    /// @return the one error, or a `CONFIG_INVALID` with a line for each
    public static MainstayException together(String file, List<MainstayException> errors) {
        if (errors.size() == 1) {
            return errors.getFirst();
        }
        StringBuilder text = new StringBuilder(file + " has " + errors.size() + " errors:");
        for (MainstayException each : errors) {
            text.append("\n  [").append(each.code().id()).append("] ").append(each.getMessage());
            if (!each.hint().equals(each.code().hint())) {
                text.append(" (").append(each.hint()).append(")");
            }
        }
        return new MainstayException(
                ErrorCode.CONFIG_INVALID,
                text.toString(),
                "correct all of them, then 'mainstay config check'",
                null);
    }
}
