"""What the dashboards are made of: panels with unit, description and thresholds; variables; annotations."""

from grafana_foundation_sdk.builders import bargauge, common, dashboard, heatmap, prometheus, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.models import common as look
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode

DATASOURCE = model.DataSourceRef("prometheus", "${datasource}")
GREEN, YELLOW, RED, BLUE, GREY = "green", "yellow", "red", "blue", "text"


def thresholds(first, *steps):
    """Colours from minus infinity up: a colour, then pairs of a value and the colour from there."""
    first_step = model.Threshold(None, first)
    return dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(
        [first_step] + [model.Threshold(value, color) for value, color in steps]
    )


PLAIN = thresholds(GREY)
YES_IS_WELL = {"0": ("no", RED), "1": ("yes", GREEN)}
YES_IS_BAD = {"0": ("no", GREEN), "1": ("yes", RED)}


def words(mapping):
    """Values as words: {"0": ("no", "red")}."""
    options = {value: model.ValueMappingResult(text, color, None, at) for at, (value, (text, color)) in enumerate(mapping.items())}
    return [model.ValueMap(options)]


def _queries(panel, queries, instant=False, exemplars=False):
    for at, (expr, legend) in enumerate(queries):
        query = prometheus.Dataquery().ref_id(chr(ord("A") + at)).expr(expr).legend_format(legend).datasource(DATASOURCE)
        query = query.instant() if instant else query.range()
        if exemplars and at == 0:
            query = query.exemplar(True)
        panel.with_target(query)
    return panel


def _dressed(panel, title, description, unit, span, height, page):
    panel.title(title).description(description).datasource(DATASOURCE).span(span).height(height)
    if unit:
        panel.unit(unit)
    if page:
        panel.links([admin_link(*page)])
    return panel


def admin_link(title, path):
    """A link to a page of the product."""
    return dashboard.DashboardLink(title).type(model.DashboardLinkType.LINK).url("${public_url}" + path).target_blank(True)


def lines(title, description, unit, queries, span=12, height=8, limits=None, page=None, least=0, most=None, stacked=False, exemplars=False):
    """Lines over time; `limits` are drawn, and nothing begins above `least`."""
    panel = _dressed(timeseries.Panel(), title, description, unit, span, height, page)
    _queries(panel, queries, exemplars=exemplars)
    panel.line_width(1).fill_opacity(25 if stacked else 5).show_points(look.VisibilityMode.AUTO).span_nulls(False)
    panel.legend(common.VizLegendOptions().display_mode(look.LegendDisplayMode.LIST).placement(look.LegendPlacement.BOTTOM).show_legend(True))
    panel.tooltip(common.VizTooltipOptions().mode(look.TooltipDisplayMode.MULTI).sort(look.SortOrder.DESCENDING))
    if least is not None:
        panel.min(least)
    if most is not None:
        panel.max(most)
    if stacked:
        panel.stacking(common.StackingConfig().mode(look.StackingMode.NORMAL).group("all"))
    if limits:
        panel.thresholds(limits)
        panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(look.GraphThresholdsStyleMode.DASHED))
    return panel


def number(title, description, unit, queries, span=4, height=4, limits=PLAIN, page=None, mapping=None, decimals=None, trend=True):
    """The newest value, large."""
    panel = _dressed(stat.Panel(), title, description, unit, span, height, page)
    _queries(panel, queries)
    panel.thresholds(limits).no_value("nothing known")
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    panel.graph_mode(look.BigValueGraphMode.AREA if trend else look.BigValueGraphMode.NONE)
    panel.color_mode(look.BigValueColorMode.VALUE).text_mode(look.BigValueTextMode.AUTO)
    if mapping:
        panel.mappings(words(mapping))
    if decimals is not None:
        panel.decimals(decimals)
    return panel


def states(title, description, queries, mapping, span=12, height=8, page=None):
    """How something stood over time, a row each."""
    panel = _dressed(statetimeline.Panel(), title, description, None, span, height, page)
    _queries(panel, queries)
    panel.mappings(words(mapping)).thresholds(PLAIN).show_value(look.VisibilityMode.NEVER).merge_values(True).row_height(0.8).line_width(0).fill_opacity(70)
    panel.color_scheme(dashboard.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
    panel.legend(common.VizLegendOptions().display_mode(look.LegendDisplayMode.LIST).placement(look.LegendPlacement.BOTTOM).show_legend(False))
    return panel


def bars(title, description, unit, queries, span=12, height=8, limits=PLAIN, page=None, least=0, most=None):
    """The newest values side by side."""
    panel = _dressed(bargauge.Panel(), title, description, unit, span, height, page)
    _queries(panel, queries, instant=True)
    panel.thresholds(limits).min(least).orientation(look.VizOrientation.HORIZONTAL).display_mode(look.BarGaugeDisplayMode.BASIC)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False)).no_value("nothing known")
    if most is not None:
        panel.max(most)
    return panel


def rows(title, description, queries, shown, span=12, height=8, page=None, unit=None):
    """The newest labels as a table; `shown` are the columns and their names, in order."""
    panel = _dressed(table.Panel(), title, description, unit, span, height, page)
    for at, (expr, _) in enumerate(queries):
        query = prometheus.Dataquery().ref_id(chr(ord("A") + at)).expr(expr).datasource(DATASOURCE).instant()
        panel.with_target(query.format("table"))
    order = {"indexByName": {name: at for at, name in enumerate(shown)}, "renameByName": shown, "includeByName": {name: True for name in shown}}
    panel.transformations([model.DataTransformerConfig("organize", None, None, None, order)])
    return panel.thresholds(PLAIN).show_header(True).align(look.FieldTextAlignment.AUTO).inspect(False)


def clouds(title, description, unit, expr, span=12, height=8, page=None):
    """A histogram over time."""
    panel = _dressed(heatmap.Panel(), title, description, None, span, height, page)
    query = prometheus.Dataquery().ref_id("A").expr(expr).legend_format("{{le}}").format("heatmap").datasource(DATASOURCE).range()
    panel.with_target(query).calculate(False)
    panel.color(heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Blues").steps(32).exponent(0.5).fill("dark-orange"))
    return panel.y_axis(heatmap.YAxisConfig().unit(unit))


def _chosen(name, label, metric, key, description):
    variable = dashboard.QueryVariable(name).label(label).description(description).datasource(DATASOURCE)
    variable.query({"query": f"label_values({metric}, {key})", "refId": "A"}).refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
    everything = model.VariableOption(True, ["All"], ["$__all"])
    return variable.sort(model.VariableSort.ALPHABETICAL_ASC).multi(True).include_all(True).all_value(".*").current(everything)


INSTANCE = _chosen("instance", "Instance", 'up{job="bist"}', "instance", "Processes of bist")
ROUTE = _chosen("route", "Route", "bist_http_requests_total", "route", "Paths as they are registered")
HORIZON = _chosen("horizon", "Horizon", "bist_model_info", "horizon", "Sessions or hours ahead")
WORK = _chosen("work", "Job", "bist_jobs_waiting", "exported_job", "Jobs of the product")


def _annotation(name, color, expr):
    return dashboard.AnnotationQuery().name(name).datasource(DATASOURCE).enable(True).hide(False).icon_color(color).expr(expr)


DEPLOYS = _annotation("Deploys", "blue", "count by (version) (bist_build_info) unless on (version) count by (version) (bist_build_info offset 2m)")
STARTS = _annotation("Starts", "purple", 'changes(process_start_time_seconds{job="bist"}[2m]) > 0')
PROMOTIONS = _annotation(
    "Promotions", "orange",
    "max by (horizon, version) (bist_model_info) unless on (horizon, version) max by (horizon, version) (bist_model_info offset 2m)",
)
BACKUPS = _annotation("Backups", "green", "changes(max by (job) (bist_backup_last_success_timestamp_seconds)[2m:]) > 0")


def board(uid, title, description, variables, annotations):
    """An empty dashboard of ours."""
    made = dashboard.Dashboard(title).uid(uid).description(description).tags(["bist"]).timezone("browser").readonly()
    made.time("now-6h", "now").refresh("1m").tooltip(model.DashboardCursorSync.CROSSHAIR)
    made.link(dashboard.DashboardLink("Dashboards of bist").type(model.DashboardLinkType.DASHBOARDS).tags(["bist"]).as_dropdown(True).keep_time(True).include_vars(True))
    made.link(admin_link("Admin pages", "/admin"))
    made.with_variable(dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus").current(model.VariableOption(True, "bist", "bist-prometheus")))
    for variable in variables:
        made.with_variable(variable)
    address = "http://127.0.0.1:8080"
    made.with_variable(
        dashboard.TextBoxVariable("public_url").label("Address of bist").description("As browsers reach it; links to admin pages begin with it")
        .default_value(address).current(model.VariableOption(True, address, address))
    )
    for annotation in annotations:
        made.annotation(annotation)
    return made


def fill(made, sections):
    """Rows of panels, each under its title."""
    for title, panels in sections:
        made.with_row(dashboard.Row(title))
        for panel in panels:
            made.with_panel(panel)
    return made
