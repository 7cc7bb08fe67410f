package dev.mainstay.server.api;

import dev.mainstay.server.security.Grants;
import dev.mainstay.server.security.LeastRole;
import dev.mainstay.server.security.Role;
import dev.mainstay.server.security.SourceGrant;
import dev.mainstay.server.view.RepositoryView;
import dev.mainstay.server.view.SourcePicture;

import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Schema;

import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

import java.util.List;

/// `/api/v1/sources`
@RestController
public final class SourcesController {
    private final RepositoryView view;

    public SourcesController(RepositoryView view) {
        this.view = view;
    }

    /// @param configured whether the configuration names it
    /// @param newest the newest whose record can be read
    /// @param storedBytes that its backups put
    /// @param damaged records that cannot be read
    @Schema(name = "Source")
    record View(
            String name,
            boolean configured,
            int backups,
            BackupsController.@Nullable Row newest,
            long storedBytes,
            List<String> damaged) {
        static View of(SourcePicture source) {
            return new View(
                    source.name(),
                    source.configured(),
                    source.backups().size(),
                    source.newest()
                            .map(row -> BackupsController.Row.of(source.name(), row))
                            .orElse(null),
                    source.bytesStored(),
                    source.damaged());
        }
    }

    @GetMapping("/api/v1/sources")
    @LeastRole(Role.VIEWER)
    @SourceGrant
    @Operation(summary = "sources of the configuration and of the repository")
    List<View> list() {
        return view.sources(Grants::allow).stream().map(View::of).toList();
    }

    @GetMapping("/api/v1/sources/{source}")
    @LeastRole(Role.VIEWER)
    @SourceGrant("source")
    @Operation(summary = "a source: how many backups it has, and the newest")
    View show(@PathVariable String source) {
        return View.of(view.source(source));
    }
}
