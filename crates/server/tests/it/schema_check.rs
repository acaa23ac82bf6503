//! Whether a JSON value is what a schema of the OpenAPI document says, as far as our schemas go.

use serde_json::Value;

/// Panics with the place in `value` that the schema does not allow. Objects may have members that
/// the schema names and no others, unless it says so.
#[track_caller]
pub(crate) fn assert_valid(document: &Value, schema: &Value, value: &Value, place: &str) {
    if let Err(problem) = check(document, schema, value, place) {
        panic!("{problem}");
    }
}

fn check(document: &Value, schema: &Value, value: &Value, place: &str) -> Result<(), String> {
    let schema = resolve(document, schema);
    if let Some(any) = schema["oneOf"].as_array() {
        let problems: Vec<String> =
            any.iter().filter_map(|one| check(document, one, value, place).err()).collect();
        return if problems.len() < any.len() { Ok(()) } else { Err(problems.join("; or ")) };
    }
    if schema["allOf"].is_array() {
        return check_object(document, schema, value, place);
    }
    let types = match schema["type"].as_array() {
        Some(types) => types.clone(),
        None if schema["type"].is_string() => vec![schema["type"].clone()],
        None => return Err(format!("{place}: the schema has no type: {schema}")),
    };
    let is = |kind: &str| match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{place}: unknown type {other}"),
    };
    if !types.iter().any(|kind| is(kind.as_str().unwrap())) {
        return Err(format!("{place}: {value} is not of type {}", schema["type"]));
    }
    if value.is_null() {
        return Ok(());
    }
    if let Some(allowed) = schema["enum"].as_array()
        && !allowed.contains(value)
    {
        return Err(format!("{place}: {value} is none of {}", schema["enum"]));
    }
    if let Some(number) = value.as_f64() {
        let beyond = schema["minimum"].as_f64().is_some_and(|least| number < least)
            || schema["maximum"].as_f64().is_some_and(|most| number > most);
        if beyond {
            return Err(format!("{place}: {number} is out of range"));
        }
    }
    if let Some(items) = value.as_array() {
        for (i, item) in items.iter().enumerate() {
            check(document, &schema["items"], item, &format!("{place}[{i}]"))?;
        }
    }
    if value.is_object() { check_object(document, schema, value, place) } else { Ok(()) }
}

fn check_object(
    document: &Value,
    schema: &Value,
    value: &Value,
    place: &str,
) -> Result<(), String> {
    let Some(members) = value.as_object() else {
        return Err(format!("{place}: {value} is not an object"));
    };
    let mut parts = Vec::new();
    flatten(document, schema, &mut parts);
    for required in parts.iter().filter_map(|part| part["required"].as_array()).flatten() {
        if !members.contains_key(required.as_str().unwrap()) {
            return Err(format!("{place}: {required} is missing"));
        }
    }
    let free = parts.iter().any(|part| part["additionalProperties"] == true);
    for (name, member) in members {
        let mut known = free;
        for schema in parts.iter().filter_map(|part| part["properties"].get(name)) {
            check(document, schema, member, &format!("{place}.{name}"))?;
            known = true;
        }
        let of_others = parts.iter().map(|part| &part["additionalProperties"]);
        if let Some(schema) = of_others.filter(|_| !known).find(|schema| schema.is_object()) {
            check(document, schema, member, &format!("{place}.{name}"))?;
            known = true;
        }
        if !known {
            return Err(format!("{place}: {name} is not described"));
        }
    }
    Ok(())
}

/// The schema and all those that it is made of.
fn flatten<'a>(document: &'a Value, schema: &'a Value, parts: &mut Vec<&'a Value>) {
    let schema = resolve(document, schema);
    parts.push(schema);
    for part in schema["allOf"].as_array().into_iter().flatten() {
        flatten(document, part, parts);
    }
}

/// The schema that a reference stands for.
pub(crate) fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => document
            .pointer(reference.strip_prefix('#').expect("references stay in the document"))
            .unwrap_or_else(|| panic!("{reference} leads nowhere")),
        None => schema,
    }
}

#[test]
fn what_a_schema_does_not_allow_is_found() {
    let document = serde_json::json!({"components": {"schemas": {"Day": {"type": "string"}}}});
    let schema = serde_json::json!({"allOf": [
        {"type": "object", "required": ["day"], "properties": {
            "day": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Day"}]},
            "kind": {"type": "string", "enum": ["full", "half"]},
        }},
        {"type": "object", "properties": {"share": {"type": "number", "maximum": 1}}},
    ]});
    let fails = |value| check(&document, &schema, &value, "x").unwrap_err();
    let fine = serde_json::json!({"day": "2026-11-24", "kind": "half", "share": 0.5});
    assert_eq!(check(&document, &schema, &fine, "x"), Ok(()));
    assert_eq!(check(&document, &schema, &serde_json::json!({"day": null}), "x"), Ok(()));
    assert_eq!(fails(serde_json::json!({})), "x: \"day\" is missing");
    assert_eq!(
        fails(serde_json::json!({"day": 1})),
        "x.day: 1 is not of type \"null\"; or x.day: 1 is not of type \"string\""
    );
    assert!(fails(serde_json::json!({"day": null, "kind": "whole"})).contains("is none of"));
    assert!(fails(serde_json::json!({"day": null, "share": 2})).contains("out of range"));
    assert!(fails(serde_json::json!({"day": null, "more": 2})).contains("more is not described"));
}
