package dev.mainstay.server.security;

import org.springframework.http.HttpMethod;
import org.springframework.web.bind.annotation.RequestMethod;
import org.springframework.web.method.HandlerMethod;
import org.springframework.web.servlet.mvc.method.RequestMappingInfo;
import org.springframework.web.servlet.mvc.method.annotation.RequestMappingHandlerMapping;
import org.springframework.web.util.pattern.PathPattern;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// Who may use which endpoint, as the endpoints say themselves.
final class EndpointRules {
    private static final String OURS = "dev.mainstay.";

    private EndpointRules() {}

    /// @param least empty for everybody
    record Rule(HttpMethod method, PathPattern path, Optional<Role> least) {}

    /// The more specific path first, as requests are dispatched.
    ///
    /// @throws IllegalStateException if an endpoint does not say who may use it
    static List<Rule> of(RequestMappingHandlerMapping mappings) {
        List<Rule> rules = new ArrayList<>();
        mappings.getHandlerMethods()
                .forEach(
                        (mapping, handler) -> {
                            if (isOurs(handler)) {
                                add(rules, mapping, handler);
                            }
                        });
        rules.sort(Comparator.comparing(Rule::path));
        return rules;
    }

    static boolean isOurs(HandlerMethod handler) {
        return handler.getBeanType().getName().startsWith(OURS);
    }

    private static void add(List<Rule> rules, RequestMappingInfo mapping, HandlerMethod handler) {
        Optional<Role> least = least(handler);
        if (mapping.getMethodsCondition().isEmpty() || mapping.getPathPatternsCondition() == null) {
            throw new IllegalStateException(handler + " names no method or no path");
        }
        for (RequestMethod method : mapping.getMethodsCondition().getMethods()) {
            for (PathPattern path : mapping.getPathPatternsCondition().getPatterns()) {
                rules.add(new Rule(method.asHttpMethod(), path, least));
            }
        }
    }

    /// Empty for everybody.
    ///
    /// @throws IllegalStateException if the endpoint does not say
    static Optional<Role> least(HandlerMethod handler) {
        LeastRole least = handler.getMethodAnnotation(LeastRole.class);
        boolean everybody = handler.hasMethodAnnotation(Everybody.class);
        if (least == null ? !everybody : everybody) {
            throw new IllegalStateException(
                    handler + " has to say who may use it: either @LeastRole or @Everybody");
        }
        return Optional.ofNullable(least).map(LeastRole::value);
    }
}
