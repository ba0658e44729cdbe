import { Module } from '@nestjs/common';
import { DetectionModule } from './detection/detection.module.js';
import { ReadinessService } from './health/readiness.service.js';
import { RegistryModule } from './registry/registry.module.js';
import { VerdictsModule } from './verdicts/verdicts.module.js';

@Module({ imports: [DetectionModule, RegistryModule, VerdictsModule], providers: [ReadinessService] })
export class AppModule {}
