package dev.mainstay.server.live;

import dev.mainstay.base.MainstayException;
import dev.mainstay.server.audit.AuditTrail;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Has the server go by the file as it is now, on record whoever wants it.
public final class ConfigurationReload {
    private static final Logger LOG = LoggerFactory.getLogger(ConfigurationReload.class);

    private final LiveConfiguration live;
    private final AuditTrail trail;

    public ConfigurationReload(LiveConfiguration live, AuditTrail trail) {
        this.live = live;
        this.trail = trail;
    }

    /// @param who wants it; empty: somebody on the server's host
    /// @throws MainstayException all that is wrong with the file; then nothing is changed
    public LiveConfiguration.Taken reload(String who) {
        String origin = live.get().origin();
        LiveConfiguration.Taken taken;
        try {
            taken = live.reload();
        } catch (MainstayException wrong) {
            LOG.error(
                    "{} was not taken, and nothing is changed: [{}] {}",
                    origin,
                    wrong.code().id(),
                    wrong.getMessage());
            trail.append(who, "", "configuration refused", origin, wrong.code().id());
            throw wrong;
        }
        LOG.info("{} was read again; changed: {}", origin, taken.changed());
        if (!taken.needRestart().isEmpty()) {
            LOG.warn("these change when the server is started again: {}", taken.needRestart());
        }
        trail.append(
                who, "", "configuration reloaded", origin, "done " + String.join(" ", taken.changed()));
        return taken;
    }
}
