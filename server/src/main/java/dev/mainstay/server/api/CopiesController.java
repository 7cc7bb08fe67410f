package dev.mainstay.server.api;

import dev.mainstay.server.job.JobFailure;
import dev.mainstay.server.security.LeastRole;
import dev.mainstay.server.security.Role;
import dev.mainstay.server.view.CopyPicture;
import dev.mainstay.server.view.RepositoryView;

import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Schema;

import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

import java.util.List;

/// `/api/v1/copies`
@RestController
public final class CopiesController {
    private final RepositoryView view;

    public CopiesController(RepositoryView view) {
        this.view = view;
    }

    /// @param state complete, behind, absent or unreachable
    /// @param missingObjects that the repository has and the copy has not
    /// @param lagSeconds age of the oldest commit that the copy cannot bring back
    @Schema(name = "Copy")
    record View(
            String name,
            String url,
            String state,
            long missingObjects,
            long missingBytes,
            @Nullable Double lagSeconds,
            @Nullable JobFailure failure) {
        static View of(CopyPicture copy) {
            return new View(
                    copy.name(),
                    copy.url(),
                    copy.state().word(),
                    copy.missing().objects(),
                    copy.missing().bytes(),
                    copy.lag().map(lag -> lag.toMillis() / 1000.0).orElse(null),
                    copy.failure().map(JobFailure::of).orElse(null));
        }
    }

    @GetMapping("/api/v1/copies")
    @LeastRole(Role.VIEWER)
    @Operation(summary = "every copy of the configuration: whether it is complete, and how far behind")
    List<View> list() {
        return view.copies().stream().map(View::of).toList();
    }
}
