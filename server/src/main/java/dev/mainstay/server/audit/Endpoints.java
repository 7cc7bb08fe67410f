package dev.mainstay.server.audit;

import jakarta.servlet.http.HttpServletRequest;

import org.springframework.http.server.PathContainer;
import org.springframework.web.servlet.mvc.method.RequestMappingInfo;
import org.springframework.web.servlet.mvc.method.annotation.RequestMappingHandlerMapping;
import org.springframework.web.util.pattern.PathPattern;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;

/// What a request asks for, as the audit trail says it: `POST /api/v1/jobs/{id}/cancel` and
/// `id=…`. Paths that no endpoint has are not told: they are a stranger's text.
public final class Endpoints {
    private final List<PathPattern> patterns;

    public Endpoints(RequestMappingHandlerMapping mappings) {
        this.patterns =
                mappings.getHandlerMethods().keySet().stream()
                        .map(RequestMappingInfo::getPathPatternsCondition)
                        .filter(Objects::nonNull)
                        .flatMap(each -> each.getPatterns().stream())
                        .sorted()
                        .toList();
    }

    /// @param target the variables of the path
    record Asked(String action, String target) {}

    Asked of(HttpServletRequest request) {
        PathContainer path = PathContainer.parsePath(request.getRequestURI());
        Optional<PathPattern> pattern =
                patterns.stream().filter(each -> each.matches(path)).findFirst();
        String method = method(request);
        if (pattern.isEmpty()) {
            return new Asked(method + " no endpoint", "");
        }
        PathPattern.PathMatchInfo match = pattern.get().matchAndExtract(path);
        Map<String, String> variables =
                match == null ? Map.of() : new TreeMap<>(match.getUriVariables());
        return new Asked(
                method + " " + pattern.get().getPatternString(),
                String.join(
                        " ",
                        variables.entrySet().stream()
                                .map(each -> each.getKey() + "=" + each.getValue())
                                .toList()));
    }

    private static String method(HttpServletRequest request) {
        String method = request.getMethod();
        return List.of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS").contains(method)
                ? method
                : "?";
    }
}
