//! All routes, their description and what surrounds them.

use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::routing::get;
use bist_app::App;
use utoipa_axum::router::OpenApiRouter;

use crate::middleware::{Limits, wrap, wrap_health};
use crate::routes::{
    admin, alerts, api_keys, audit, auth, backups, bars, data_quality, docs, errors, experiments,
    explanations, forecasts, health, jobs, live, market, metrics, models, orders, portfolios,
    scenarios, screener, signals, studies, symbols, user_settings, users, watchlists,
};
use crate::settings::ServerSettings;
use crate::{assets, openapi};

/// The whole service: API, health, web app, middleware. Of a process that answers no people, only how it
/// is and what it counts.
pub fn router(app: Arc<App>, settings: &ServerSettings) -> Router {
    if !settings.role.answers_people() {
        let (routes, _) = health::router().merge(metrics::router()).split_for_parts();
        let telemetry = Arc::clone(app.telemetry());
        return wrap_health(routes.with_state(app), settings, Limits::default(), telemetry);
    }
    let (routes, description) = operations();
    let description = openapi::document(description);
    let describe =
        async move || ([(header::CONTENT_TYPE, "application/json")], description.clone());
    let routes = routes
        .route("/api/openapi.json", get(describe))
        .route("/api/docs", get(docs::page))
        .fallback(assets::answer)
        .with_state(Arc::clone(&app));
    let telemetry = Arc::clone(app.telemetry());
    wrap(routes, Some(app), settings, Limits::default(), telemetry)
}

/// All operations of the API, and their description.
pub(crate) fn operations() -> (Router<Arc<App>>, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(openapi::frame())
        .merge(symbols::router())
        .merge(bars::router())
        .merge(forecasts::router())
        .merge(signals::router())
        .merge(explanations::router())
        .merge(models::router())
        .merge(experiments::router())
        .merge(studies::router())
        .merge(jobs::router())
        .merge(live::router())
        .merge(data_quality::router())
        .merge(market::router())
        .merge(screener::router())
        .merge(scenarios::router())
        .merge(portfolios::router())
        .merge(orders::router())
        .merge(auth::router())
        .merge(api_keys::router())
        .merge(users::router())
        .merge(watchlists::router())
        .merge(alerts::router())
        .merge(user_settings::router())
        .merge(audit::router())
        .merge(admin::router())
        .merge(backups::router())
        .merge(errors::router())
        .merge(health::router())
        .merge(metrics::router())
        .split_for_parts()
}
