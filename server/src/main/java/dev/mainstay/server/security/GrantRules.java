package dev.mainstay.server.security;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;

import org.springframework.web.method.HandlerMethod;
import org.springframework.web.servlet.HandlerInterceptor;
import org.springframework.web.servlet.HandlerMapping;
import org.springframework.web.servlet.config.annotation.InterceptorRegistry;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;

import java.util.Map;

/// Looks, before an endpoint is asked, whether who asks may see the source that the request names.
public final class GrantRules implements HandlerInterceptor, WebMvcConfigurer {
    @Override
    public void addInterceptors(InterceptorRegistry registry) {
        registry.addInterceptor(this);
    }

    @Override
    public boolean preHandle(
            HttpServletRequest request, HttpServletResponse response, Object handler) {
        if (handler instanceof HandlerMethod method && EndpointRules.isOurs(method)) {
            SourceGrant grant = method.getMethodAnnotation(SourceGrant.class);
            if (method.hasMethodAnnotation(Everybody.class)) {
                return true;
            }
            if (grant == null) {
                Grants.demandWhole();
            } else if (!grant.value().isEmpty()) {
                demand(request, grant.value());
            }
        }
        return true;
    }

    private static void demand(HttpServletRequest request, String parameter) {
        Object variables = request.getAttribute(HandlerMapping.URI_TEMPLATE_VARIABLES_ATTRIBUTE);
        String inPath =
                variables instanceof Map<?, ?> map && map.get(parameter) instanceof String text
                        ? text
                        : "";
        String[] inQuery = request.getParameterValues(parameter);
        if (!inPath.isEmpty()) {
            Grants.demand(inPath);
        } else if (inQuery == null) {
            Grants.demandWhole();
        } else {
            for (String each : inQuery) {
                Grants.demand(each);
            }
        }
    }
}
