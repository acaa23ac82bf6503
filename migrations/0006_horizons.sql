-- One model in force for each horizon. Those from before look five sessions ahead.

ALTER TABLE model_versions ADD COLUMN horizon_sessions BIGINT NOT NULL DEFAULT 5;

CREATE UNIQUE INDEX model_versions_champion ON model_versions (horizon_sessions)
    WHERE state = 'champion';
