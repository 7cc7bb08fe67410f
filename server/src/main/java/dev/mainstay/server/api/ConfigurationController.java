package dev.mainstay.server.api;

import dev.mainstay.server.live.ConfigurationReload;
import dev.mainstay.server.live.LiveConfiguration;
import dev.mainstay.server.security.LeastRole;
import dev.mainstay.server.security.Role;

import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Schema;

import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;

import java.security.Principal;
import java.util.List;

/// `/api/v1/configuration`
@RestController
public final class ConfigurationController {
    private final ConfigurationReload reload;

    public ConfigurationController(ConfigurationReload reload) {
        this.reload = reload;
    }

    /// @param changed what is otherwise from now on
    /// @param needRestart what is otherwise in the file, and changes when the server starts again
    @Schema(name = "ConfigurationTaken")
    record Taken(List<String> changed, List<String> needRestart) {}

    @PostMapping("/api/v1/configuration/reload")
    @LeastRole(Role.ADMINISTRATOR)
    @Operation(summary = "reads the configuration file again, and goes by it or changes nothing")
    Taken reload(Principal who) {
        LiveConfiguration.Taken taken = reload.reload(who.getName());
        return new Taken(taken.changed(), taken.needRestart());
    }
}
